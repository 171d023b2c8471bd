#include "node/rpc/json_rpc.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <stdexcept>

namespace gradient::node {
namespace {

class JsonRpc : public testing::Test {
  protected:
    JsonRpc() {
        dispatcher_.add({"add",
                         "",
                         {{"a", RpcType::integer, true, ""}, {"b", RpcType::integer, false, ""}},
                         [](RpcParams params) -> Task<json::value> {
                             co_return params.integer("a") + params.integer_or("b", 1);
                         }});
        dispatcher_.add(
            {"say",
             "",
             {{"text", RpcType::text, true, ""}, {"loud", RpcType::boolean, false, ""}},
             [](RpcParams params) -> Task<json::value> { co_return params.text("text"); }});
        dispatcher_.add({"break", "", {}, [](RpcParams) -> Task<json::value> {
                             throw std::runtime_error("a secret of the implementation");
                         }});
        dispatcher_.add({"miss", "", {}, [](RpcParams) -> Task<json::value> {
                             throw RpcError(RpcErrorCode::not_found, "Nothing there.");
                         }});
    }

    std::optional<std::string> handle(const std::string& text) {
        asio::io_context context;
        auto answer = asio::co_spawn(context, dispatcher_.handle(text), asio::use_future);
        context.run();
        return answer.get();
    }

    json::value answer(const std::string& text) { return json::parse(handle(text).value()); }

    // The code of the error that a request with this method and these parameters gives.
    std::int64_t error_of(const std::string& method, const std::string& params) {
        const auto all = answer(R"({"jsonrpc":"2.0","id":7,"method":)" + method + R"(,"params":)" +
                                params + "}");
        EXPECT_EQ(all.at("id"), 7);
        EXPECT_FALSE(all.as_object().contains("result"));
        return all.at("error").at("code").as_int64();
    }

    RpcDispatcher dispatcher_;
};

TEST_F(JsonRpc, takes_parameters_by_name_and_by_position) {
    EXPECT_EQ(answer(R"({"jsonrpc":"2.0","id":1,"method":"add","params":{"a":2,"b":3}})"),
              json::parse(R"({"jsonrpc":"2.0","id":1,"result":5})"));
    EXPECT_EQ(answer(R"({"jsonrpc":"2.0","id":"x","method":"add","params":[2]})"),
              json::parse(R"({"jsonrpc":"2.0","id":"x","result":3})"));
    EXPECT_EQ(answer(R"({"jsonrpc":"2.0","id":null,"method":"add","params":{"a":2,"b":null}})")
                  .at("result"),
              3);
}

TEST_F(JsonRpc, refuses_wrong_missing_and_unknown_parameters) {
    for (const auto* params :
         {R"({})", R"([])", R"({"a":"2"})", R"({"a":-1})", R"({"a":1.5})", R"({"a":1,"c":2})",
          R"([1,2,3])", R"({"a":[1]})", R"({"a":99999999999999999999})"}) {
        EXPECT_EQ(error_of(R"("add")", params), -32602) << params;
    }
    EXPECT_EQ(error_of(R"("say")", R"({"text":1})"), -32602);
    EXPECT_EQ(error_of(R"("say")", R"({"text":"a","loud":"yes"})"), -32602);
    EXPECT_EQ(error_of(R"("add")", "5"), -32600);
}

TEST_F(JsonRpc, names_what_is_wrong_with_a_request) {
    EXPECT_EQ(error_of(R"("subtract")", "[]"), -32601);
    EXPECT_EQ(error_of("5", "[]"), -32600);
    EXPECT_EQ(answer("{").at("error").at("code"), -32700);
    EXPECT_EQ(answer("").at("error").at("code"), -32700);
    EXPECT_EQ(answer("17").at("error").at("code"), -32600);
    EXPECT_EQ(answer("[]").at("error").at("code"), -32600);
    EXPECT_EQ(answer(R"({"jsonrpc":"1.0","id":1,"method":"add"})").at("error").at("code"), -32600);
    EXPECT_EQ(answer(R"({"jsonrpc":"2.0","id":{},"method":"add"})").at("error").at("code"), -32600);
    EXPECT_EQ(answer(std::string(10'000, '[')).at("error").at("code"), -32700);
}

TEST_F(JsonRpc, keeps_the_implementations_secrets) {
    spdlog::set_level(spdlog::level::off);
    const auto text = handle(R"({"jsonrpc":"2.0","id":1,"method":"break"})").value();
    EXPECT_EQ(text.find("secret"), std::string::npos);
    EXPECT_EQ(json::parse(text).at("error").at("code"), -32603);
    EXPECT_EQ(error_of(R"("miss")", "[]"), -32001);
}

TEST_F(JsonRpc, answers_batches_in_order_and_notifications_not_at_all) {
    const auto all = answer(R"([{"jsonrpc":"2.0","id":1,"method":"add","params":[1]},
                                {"jsonrpc":"2.0","method":"add","params":[1]}, 3,
                                {"jsonrpc":"2.0","id":2,"method":"add","params":[2]}])");
    ASSERT_EQ(all.as_array().size(), 3U);
    EXPECT_EQ(all.at(0).at("result"), 2);
    EXPECT_EQ(all.at(1).at("error").at("code"), -32600);
    EXPECT_EQ(all.at(2).at("id"), 2);
    EXPECT_EQ(handle(R"({"jsonrpc":"2.0","method":"add","params":[1]})"), std::nullopt);
    std::string large = "[1";
    for (std::size_t i = 0; i < RpcDispatcher::kMaxBatch; ++i) large += ",1";
    EXPECT_EQ(answer(large + "]").at("error").at("code"), -32600);
}

}  // namespace
}  // namespace gradient::node
