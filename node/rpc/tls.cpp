#include "node/rpc/tls.hpp"

#include "node/setup/failure.hpp"
#include "node/setup/files.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/verify_context.hpp>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace gradient::node {

namespace {

namespace ssl = boost::asio::ssl;

using Certificate = std::shared_ptr<X509>;

Failure wrong_file(const std::filesystem::path& file, std::string_view cause,
                   std::string_view remedy) {
    return {ExitCode::usage, fmt::format("The file {} {}: {}.", file.string(), cause, remedy)};
}

Certificate first_certificate(const std::string& pem) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
    return {PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free};
}

// Null as well for one with a passphrase, which is not asked for.
std::shared_ptr<EVP_PKEY> private_key(const std::string& pem) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
    const auto no_passphrase = [](char*, int, int, void*) { return -1; };
    return {PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free};
}

void warn_of_dates(const std::filesystem::path& file, const Certificate& certificate) {
    if (X509_cmp_current_time(X509_get0_notAfter(certificate.get())) < 0)
        spdlog::warn("the RPC's certificate {} has expired; clients may refuse it", file.string());
}

}  // namespace

ssl::context server_tls(const TlsFiles& files) {
    const std::string certificate = read_file(files.certificate, kMaxTlsFileBytes, ExitCode::usage);
    const std::string key = read_file(files.key, kMaxTlsFileBytes, ExitCode::usage);
    ssl::context context(ssl::context::tls_server);
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    const auto parsed = first_certificate(certificate);
    boost::system::error_code error;
    if (parsed) context.use_certificate_chain(boost::asio::buffer(certificate), error);
    if (!parsed || error) {
        throw wrong_file(files.certificate, "holds no certificate in PEM",
                         "name one with --rpc-tls-certificate that begins with -----BEGIN "
                         "CERTIFICATE-----");
    }
    warn_of_dates(files.certificate, parsed);
    const auto parsed_key = private_key(key);
    if (!parsed_key) {
        throw wrong_file(files.key, "holds no private key in PEM that needs no passphrase",
                         "name one with --rpc-tls-key (`openssl pkey -in FILE` takes a passphrase "
                         "off)");
    }
    if (X509_check_private_key(parsed.get(), parsed_key.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context.native_handle(), parsed_key.get()) != 1) {
        throw wrong_file(files.key,
                         "does not belong to the certificate " + files.certificate.string(),
                         "name with --rpc-tls-key the key with which that was made");
    }
    return context;
}

ssl::context pinning_tls(const std::string& certificate) {
    const auto pinned = first_certificate(certificate);
    if (!pinned)
        throw Failure(ExitCode::network, "The node has left a certificate that can't be read.");
    ssl::context context(ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    context.set_verify_mode(ssl::verify_peer);
    context.set_verify_callback([pinned](bool, ssl::verify_context& seen) {
        // Whichever link of its chain this is about, the leaf decides.
        X509* const leaf = X509_STORE_CTX_get0_cert(seen.native_handle());
        return leaf != nullptr && X509_cmp(leaf, pinned.get()) == 0;
    });
    return context;
}

}  // namespace gradient::node
