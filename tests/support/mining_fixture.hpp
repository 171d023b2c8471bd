#pragma once

#include "chain/storage/memory_store.hpp"
#include "node/concurrency/worker_pool.hpp"
#include "node/ledger/ledger_service.hpp"
#include "node/training/trainer_pool.hpp"
#include "tests/support/faulty_store.hpp"
#include "tests/support/test_network.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace gradient::node {

using namespace std::chrono_literals;

/// A node's inside on a tiny network: pool and ledger service.
class Mining : public testing::Test {
  protected:
    explicit Mining(std::shared_ptr<const chain::Network> network = test::tiny_network())
        : network_(std::move(network)) {
        spdlog::set_level(spdlog::level::off);
        auto faulty = std::make_unique<chain::FaultyStore>(behind_);
        store_ = faulty.get();
        auto ledger = chain::Ledger::open(network_, std::move(faulty));
        CHECK(ledger);
        pool_ = std::make_unique<WorkerPool>(2);
        service_ = std::make_unique<LedgerService>(context_.get_executor(), *std::move(ledger),
                                                   *pool_, trainers_);
        service_->start();
    }
    ~Mining() override { pool_.reset(); }

    template <class T>
    T run(Task<T> task) {
        auto result = asio::co_spawn(context_, std::move(task), asio::use_future);
        context_.restart();
        while (result.wait_for(0s) != std::future_status::ready) context_.run_one();
        return result.get();
    }

    /// Runs the context until something holds; false after a minute without it.
    template <class Condition>
    bool eventually(Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + 60s;
        context_.restart();
        while (!condition()) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            if (context_.poll() == 0) std::this_thread::yield();
            if (context_.stopped()) context_.restart();
        }
        return true;
    }

    std::shared_ptr<const chain::Block> strangers_block() {
        return test::mine_on(service_->tip(), own_trainers_);
    }

    /// What becomes of a block submitted in the background.
    LedgerService::SubmitResult submitted_later(std::shared_ptr<const chain::Block> block) {
        std::optional<LedgerService::SubmitResult> told;
        service_->submit_later(std::move(block), [&](const auto& result) { told = result; });
        const auto deadline = std::chrono::steady_clock::now() + 60s;
        context_.restart();
        while (!told && std::chrono::steady_clock::now() < deadline) context_.run_one_for(1s);
        CHECK(told);
        return *told;
    }

    /// An error's sentence and that the tip stayed where it was.
    std::string refusal_of(std::shared_ptr<const chain::Block> block) {
        const auto tip = service_->tip()->id();
        const auto result = run(service_->submit(std::move(block)));
        EXPECT_FALSE(result.has_value());
        EXPECT_EQ(service_->tip()->id(), tip);
        return result ? "" : chain::describe(result.error());
    }

    std::shared_ptr<const chain::Network> network_;
    TrainerPool trainers_{network_->task, model::EngineKind::best};
    chain::OwnTrainers own_trainers_;
    asio::io_context context_{1};
    chain::MemoryStore behind_;
    chain::FaultyStore* store_ = nullptr;  // the ledger's
    std::unique_ptr<WorkerPool> pool_;
    std::unique_ptr<LedgerService> service_;
    chain::SecretKey key_ = test::tiny_key();
};

}  // namespace gradient::node
