#include "node/rpc/client.hpp"

#include "node/p2p/net_address.hpp"
#include "node/rpc/cookie.hpp"
#include "node/rpc/tls.hpp"
#include "node/setup/data_directory.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <optional>
#include <utility>

namespace gradient::node {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;
using tcp = asio::ip::tcp;

constexpr std::size_t kMaxEndpointBytes = 64;
// Model parameters of the largest task in base64, and some.
constexpr std::uint64_t kMaxAnswerBytes = 256U << 20U;

Failure no_node(const std::filesystem::path& data_directory) {
    return {ExitCode::network,
            fmt::format("No node is running on {0}: start one with `gradientd --data {0}`, or "
                        "name another directory with --data.",
                        data_directory.string())};
}

tcp::endpoint read_endpoint(const std::filesystem::path& data_directory) {
    const auto file = endpoint_file(data_directory);
    if (!path_exists(file)) throw no_node(data_directory);
    std::string text = read_file(file, kMaxEndpointBytes, ExitCode::network);
    while (text.ends_with('\n')) text.pop_back();
    const auto endpoint = parse_endpoint(text);
    if (!endpoint) {
        throw Failure(ExitCode::network,
                      fmt::format("The file {} holds no address.", file.string()));
    }
    return *endpoint;
}

// With the certificate that a node with TLS has left; nothing if it speaks plain.
std::optional<asio::ssl::context> read_tls(const std::filesystem::path& data_directory) {
    const auto file = rpc_certificate_file(data_directory);
    if (!path_exists(file)) return std::nullopt;
    return pinning_tls(read_file(file, kMaxTlsFileBytes, ExitCode::network));
}

}  // namespace

struct RpcClient::Impl {
    using TlsStream = beast::ssl_stream<beast::tcp_stream>;

    explicit Impl(const std::filesystem::path& directory)
        : data_directory(directory),
          endpoint(read_endpoint(data_directory)),
          cookie(Cookie::read(cookie_file(data_directory))),
          tls(read_tls(data_directory)) {}

    beast::tcp_stream& tcp() { return secure ? secure->next_layer() : *plain; }

    // Runs the context until the started operation is done; the stream's timeout ends it at the
    // latest.
    template <class Start>
    beast::error_code wait(std::chrono::milliseconds limit, Start start) {
        beast::error_code result;
        tcp().expires_after(limit);
        start([&](beast::error_code error, auto...) { result = error; });
        context.restart();
        context.run();
        return result;
    }

    [[nodiscard]] Failure unreachable(const beast::error_code& error) const {
        return {ExitCode::network, fmt::format("The node at {} does not answer: {}.",
                                               format_endpoint(endpoint), error.message())};
    }

    void close() {
        secure.reset();
        plain.reset();
        buffer.clear();
    }

    void connect() {
        if (tls) {
            secure.emplace(context, *tls);
        } else {
            plain.emplace(context);
        }
        auto error = wait(kTimeout, [&](auto done) { tcp().async_connect(endpoint, done); });
        // A killed node leaves its address behind.
        if (error == asio::error::connection_refused) {
            close();
            throw no_node(data_directory);
        }
        if (!error && secure) {
            error = wait(kTimeout, [&](auto done) {
                secure->async_handshake(asio::ssl::stream_base::client, done);
            });
        }
        if (!error) return;
        close();
        throw unreachable(error);
    }

    template <class Stream>
    beast::error_code ask(Stream& stream, const http::request<http::string_body>& request,
                          http::response_parser<http::string_body>& parser,
                          std::chrono::milliseconds patience) {
        const auto error =
            wait(kTimeout, [&](auto done) { http::async_write(stream, request, done); });
        if (error) return error;
        return wait(kTimeout + patience,
                    [&](auto done) { http::async_read(stream, buffer, parser, done); });
    }

    http::response<http::string_body> exchange(std::string body,
                                               std::chrono::milliseconds patience) {
        if (!secure && !plain) connect();
        http::request<http::string_body> request(http::verb::post, "/", 11);
        request.set(http::field::host, format_endpoint(endpoint));
        request.set(http::field::authorization, cookie.authorization());
        request.set(http::field::content_type, "application/json");
        request.body() = std::move(body);
        request.prepare_payload();
        http::response_parser<http::string_body> parser;
        parser.body_limit(kMaxAnswerBytes);
        const auto error = secure ? ask(*secure, request, parser, patience)
                                  : ask(*plain, request, parser, patience);
        if (error) {
            close();
            throw unreachable(error);
        }
        if (!parser.get().keep_alive()) close();
        return parser.release();
    }

    std::filesystem::path data_directory;
    tcp::endpoint endpoint;
    Cookie cookie;
    std::optional<asio::ssl::context> tls;
    asio::io_context context;
    std::optional<TlsStream> secure;  // one of the two while connected
    std::optional<beast::tcp_stream> plain;
    beast::flat_buffer buffer;
    std::int64_t next_id = 0;
};

RpcClient::RpcClient(const std::filesystem::path& data_directory)
    : impl_(std::make_unique<Impl>(data_directory)) {}

RpcClient::~RpcClient() = default;

json::value RpcClient::call(const std::string& method, json::object params,
                            std::chrono::milliseconds patience) {
    const json::object request{{"jsonrpc", "2.0"},
                               {"id", ++impl_->next_id},
                               {"method", method},
                               {"params", std::move(params)}};
    const auto response = impl_->exchange(json::serialize(request), patience);
    if (response.result() == http::status::unauthorized) {
        throw Failure(
            ExitCode::network,
            "The node refused our cookie: it belongs to another run or another directory.");
    }
    boost::system::error_code error;
    const json::value answer = json::parse(response.body(), error);
    if (response.result() != http::status::ok || error || !answer.is_object()) {
        throw Failure(ExitCode::network,
                      fmt::format("The node gave an answer that is not JSON-RPC (HTTP status {}).",
                                  response.result_int()));
    }
    const auto& object = answer.get_object();
    if (const auto* const failure = object.if_contains("error")) {
        throw RpcFailure(failure->at("code").to_number<std::int64_t>(),
                         std::string(failure->at("message").as_string()));
    }
    return object.at("result");
}

}  // namespace gradient::node
