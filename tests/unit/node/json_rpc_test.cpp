#include "node/rpc/json_rpc.hpp"

#include "node/rpc/rpc_limits.hpp"

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
        dispatcher_.add({
            .name = "add",
            .summary = "",
            .permission = RpcPermission::read,
            .parameters = {required("a", schema::whole(), ""),
                           optional("b", schema::whole(0, 100), "", 1)},
            .call = [](RpcParams params) -> Task<json::value> {
                co_return params.integer("a") + params.integer("b");
            },
        });
        dispatcher_.add({
            .name = "say",
            .summary = "",
            .permission = RpcPermission::submit,
            .parameters = {required("text", schema::text(10), ""),
                           optional("loud", schema::boolean(), ""),
                           optional("id", schema::hash(), ""),
                           optional("tone", schema::one_of({"low", "high"}), "")},
            .call = [](RpcParams params) -> Task<json::value> { co_return params.text("text"); },
        });
        dispatcher_.add({
            .name = "break",
            .summary = "",
            .call = [](RpcParams) -> Task<json::value> {
                throw std::runtime_error("a secret of the implementation");
            },
        });
        dispatcher_.add({
            .name = "miss",
            .summary = "",
            .call = [](RpcParams) -> Task<json::value> {
                throw RpcError(RpcErrorCode::not_found, "Nothing there.");
            },
        });
        dispatcher_.add({
            .name = "flood",
            .summary = "",
            .call = [](RpcParams) -> Task<json::value> {
                co_return json::string(kRpcMaxBatchAnswerBytes / 4, 'x');
            },
        });
    }

    std::optional<std::string> handle(const std::string& text) {
        asio::io_context context;
        auto answer = asio::co_spawn(context, dispatcher_.handle(text, caller_), asio::use_future);
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
    RpcCaller caller_{"somebody", RpcPermission::control, nullptr};
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
    for (const auto* params : {R"({})", R"([])", R"({"a":"2"})", R"({"a":1,"b":101})",
                               R"({"a":null})", R"({"a":-1})", R"({"a":1.5})", R"({"a":1,"c":2})",
                               R"([1,2,3])", R"({"a":[1]})", R"({"a":99999999999999999999})"}) {
        EXPECT_EQ(error_of(R"("add")", params), -32602) << params;
    }
    for (const auto* params :
         {R"({"text":1})", R"({"text":"12345678901"})", R"({"text":"","id":"0"})",
          R"({"text":"","tone":"shrill"})", R"({"text":"","tone":1})"}) {
        EXPECT_EQ(error_of(R"("say")", params), -32602) << params;
    }
    EXPECT_EQ(error_of(R"("say")", R"({"text":"a","loud":"yes"})"), -32602);
    EXPECT_EQ(error_of(R"("add")", "5"), -32600);
}

TEST_F(JsonRpc, names_the_parameter_that_is_wrong) {
    const auto refused = [this](const std::string& params) {
        return answer(R"({"jsonrpc":"2.0","id":1,"method":"add","params":)" + params + "}")
            .at("error");
    };
    EXPECT_EQ(refused(R"({"a":1,"b":101})").at("message"),
              "b must be a whole number from 0 to 100.");
    EXPECT_EQ(refused(R"({"a":1,"b":101})").at("data").at("parameter"), "b");
    EXPECT_EQ(refused(R"({"b":1})").at("message"), "a is missing.");
    EXPECT_EQ(refused(R"({"a":1,"c":1})").at("data").at("parameter"), "c");
}

TEST_F(JsonRpc, asks_for_the_permission_of_each_method) {
    caller_.permission = RpcPermission::read;
    EXPECT_EQ(error_of(R"("say")", R"({"text":""})"), -32003);
    EXPECT_EQ(error_of(R"("say")", R"({"text":1})"), -32003);  // before it looks at parameters
    EXPECT_EQ(error_of(R"("miss")", "[]"), -32003);
    EXPECT_EQ(answer(R"({"jsonrpc":"2.0","id":1,"method":"add","params":[1]})").at("result"), 2);
    caller_.permission = RpcPermission::submit;
    EXPECT_EQ(answer(R"({"jsonrpc":"2.0","id":1,"method":"say","params":["a"]})").at("result"),
              "a");
    EXPECT_EQ(error_of(R"("miss")", "[]"), -32003);
}

TEST_F(JsonRpc, takes_ids_that_come_back_as_they_are) {
    for (const auto* id : {"\"x\"", "0", "-1", "18446744073709551615", "null"}) {
        EXPECT_EQ(
            handle(std::string(R"({"jsonrpc":"2.0","method":"add","params":[1],"id":)") + id + "}"),
            std::string(R"({"jsonrpc":"2.0","id":)") + id + R"(,"result":2})");
    }
    for (const auto* id : {"1.5", "1e3", "18446744073709551616", "true", "[]", "{}"}) {
        const auto refused =
            answer(std::string(R"({"jsonrpc":"2.0","method":"add","params":[1],"id":)") + id + "}");
        EXPECT_EQ(refused.at("error").at("code"), -32600) << id;
        EXPECT_TRUE(refused.at("id").is_null()) << id;
    }
}

TEST_F(JsonRpc, bounds_the_answers_of_a_batch) {
    std::string batch = "[";
    for (int i = 0; i < 8; ++i) {
        batch += R"({"jsonrpc":"2.0","method":"flood","id":)" + std::to_string(i) + "},";
    }
    const auto text = handle(batch + R"({"jsonrpc":"2.0","method":"flood"}])").value();
    EXPECT_LT(text.size(), kRpcMaxBatchAnswerBytes + kRpcMaxBatchAnswerBytes / 4 + 10'000);
    const auto all = json::parse(text).as_array();
    ASSERT_EQ(all.size(), 8U);
    EXPECT_TRUE(all[3].as_object().contains("result"));
    EXPECT_EQ(all[7].at("error").at("code"), -32004);
    EXPECT_EQ(all[7].at("id"), 7);
}

TEST_F(JsonRpc, names_what_is_wrong_with_a_request) {
    EXPECT_EQ(error_of(R"("subtract")", "[]"), -32601);
    EXPECT_EQ(error_of("5", "[]"), -32600);
    EXPECT_EQ(answer("{").at("error").at("code"), -32700);
    EXPECT_EQ(answer("").at("error").at("code"), -32700);
    EXPECT_EQ(answer("17").at("error").at("code"), -32600);
    EXPECT_EQ(answer("[]").at("error").at("code"), -32600);
    EXPECT_EQ(answer(R"({"jsonrpc":"1.0","id":1,"method":"add"})").at("error").at("code"), -32600);
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
    EXPECT_EQ(handle(R"({"jsonrpc":"2.0","method":"add","params":["x"]})"), std::nullopt);
    EXPECT_EQ(handle(R"([{"jsonrpc":"2.0","method":"nothing"}])"), std::nullopt);
    EXPECT_EQ(answer(R"({"method":"add","params":[1]})").at("error").at("code"), -32600);
    std::string large = "[1";
    for (std::size_t i = 0; i < kRpcMaxBatch; ++i) large += ",1";
    EXPECT_EQ(answer(large + "]").at("error").at("code"), -32600);
}

}  // namespace
}  // namespace gradient::node
