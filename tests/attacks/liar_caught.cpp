// A miner fakes one unit in a thousand between its openings; another node audits. Shows when the
// liar is caught, what it loses, and how far its segments move the model beside honest ones.

#include "tests/support/audited_chain.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace gradient {
namespace {

constexpr std::uint8_t kAuditor = 1;
constexpr std::uint8_t kLiar = 9;
constexpr std::size_t kLiarsPlace = 4;

struct Options {
    double audit = 0.5;
    std::uint64_t lie_every = 1'000;
    std::uint64_t blocks = 400;
    std::uint32_t maturity = 20;
    unsigned win_bits = 8;
    std::uint32_t seed = 1;
};

// One segment's displacement beside its clip.
struct Moved {
    std::uint64_t displacement = 0;
    std::uint64_t cap = 0;
};

// What a run has shown.
struct Figures {
    std::uint64_t first_lie = 0;  // height of the block that includes it
    std::uint64_t found = 0;      // height of the tip when an audit found a lie
    std::uint64_t caught = 0;     // height of the block that holds the proof
    std::uint64_t lies = 0;
    std::uint64_t liars_units = 0;  // since it began to lie, until it was caught
    std::uint64_t immature_before = 0;
    std::uint64_t immature_after = 0;  // but for what the proof's own block pays
    std::uint64_t burnt = 0;
    std::uint64_t reward = 0;
    bool reward_paid = false;
    std::uint64_t audited = 0;
    std::uint64_t segments = 0;
    std::vector<Moved> lying;
    std::vector<Moved> honest;
    std::vector<std::uint64_t> steps_with_lies;  // of the model
    std::vector<std::uint64_t> steps_without;
    std::uint64_t largest_cap = 0;
    std::uint64_t height = 0;
    double held_out_at_lie = 0;
    double held_out = 0;
};

std::shared_ptr<const chain::Network> network_of(const Options& options) {
    auto spec = test::tiny_spec(options.win_bits);
    spec.params.maturity_blocks = options.maturity;
    spec.params.work.hits_per_win = 16;
    spec.params.work.units_per_hit = 16;
    auto network = chain::make_network(std::move(spec));
    CHECK(network);
    return *std::move(network);
}

node::AuditQueue::Random seeded(std::uint32_t seed) {
    auto engine = std::make_shared<std::mt19937_64>(seed);
    return [engine](std::uint64_t bound) { return (*engine)() % bound; };
}

// Moves every parameter far, in a direction of its own that stays the same.
void pull(test::ClaimedState& state, std::uint32_t seed) {
    constexpr std::int32_t kPull = 8 << 16;
    std::mt19937 direction(seed);
    for (auto& parameter : state.parameters) {
        const std::int32_t step = direction() % 2 == 0 ? kPull : -kPull;
        parameter = std::clamp(parameter + step, -chain::kParameterLimit, chain::kParameterLimit);
    }
    state.gradient = test::hash_of(0x5a);
}

class Run {
  public:
    Run(const Options& options, bool lies)
        : options_(options),
          lies_(lies),
          random_(options.seed),
          network_(network_of(options)),
          chain_(network_,
                 {options.audit, kAuditor, node::AuditQueue::kMaxBytes, seeded(options.seed)}) {}

    Figures play() {
        // Nobody has a deposit before its first pay can be spent: the liar waits for that.
        const std::uint64_t begin = options_.maturity + 2;
        auto model = model_after();
        bool had_lie = false;
        while (chain_.height() < options_.blocks && !figures_.reward_paid) {
            const bool lying = lies_ && chain_.height() >= begin && figures_.caught == 0;
            if (chain_.height() == begin) figures_.held_out_at_lie = chain_.held_out().brier();
            const std::uint64_t before = immature_from(chain_.height() + 2);
            const auto handed = chain_.mine_block(miners(lying));
            const auto now = model_after();
            const bool counts = chain_.height() > begin;
            if (counts)
                (had_lie ? figures_.steps_with_lies : figures_.steps_without)
                    .push_back(chain::displacement(model, now));
            model = now;
            had_lie = record(handed, lying, counts);
            look_for_the_proof(before);
        }
        figures_.height = chain_.height();
        figures_.held_out = chain_.held_out().brier();
        figures_.audited = chain_.status().segments;
        return figures_;
    }

  private:
    std::vector<test::TestMiner> miners(bool lying) {
        std::vector<test::TestMiner> miners{{kAuditor, {}}, {2, {}}, {3, {}}, {4, {}}, {kLiar, {}}};
        if (!lying) return miners;
        miners[kLiarsPlace].claim = [this](std::uint32_t, test::ClaimedState& state) {
            ++figures_.liars_units;
            if (random_() % options_.lie_every != 0) return false;
            pull(state, options_.seed);
            return true;
        };
        return miners;
    }

    bool record(const std::vector<test::HandedIn>& handed, bool lying, bool counts) {
        bool any = false;
        for (const auto& one : handed) {
            const bool lies = one.lies > 0;
            any = any || lies;
            figures_.lies += one.lies;
            if (!counts) continue;
            (lies ? figures_.lying : figures_.honest).push_back({one.displacement, one.cap});
            figures_.largest_cap = std::max(figures_.largest_cap, one.cap);
            figures_.segments += lying && one.miner != 0 ? 1 : 0;
            if (!lies) continue;
            lying_.push_back(one.id);
            if (lying_.size() > 1) continue;
            figures_.first_lie = chain_.height() + (&one == &handed.front() ? 0 : 1);
        }
        return any;
    }

    void look_for_the_proof(std::uint64_t before) {
        const auto status = chain_.status();
        if (figures_.found == 0 && status.proofs > 0) figures_.found = chain_.height();
        if (figures_.caught == 0 && status.accusations.revealed > 0) {
            figures_.caught = chain_.height();
            figures_.immature_before = before;
            figures_.immature_after = chain_.immature(kLiar) - chain_.last_pay(kLiar);
            figures_.burnt = chain_.totals().burnt.units();
            for (const auto& id : lying_) {
                const auto one = chain_.entry<chain::FraudCase>(chain::fraud_case_key(id));
                figures_.reward += one.reward.units();
            }
            auditor_before_ = chain_.balance(kAuditor);
        } else if (figures_.caught > 0 && !figures_.reward_paid) {
            figures_.reward_paid = status.accusations.open_cases == 0 &&
                                   chain_.balance(kAuditor) >= auditor_before_ + figures_.reward;
        }
    }

    // The liar's pay that matures at this height or later.
    [[nodiscard]] std::uint64_t immature_from(std::uint64_t height) const {
        std::uint64_t sum = 0;
        for (std::uint64_t at = height; at <= chain_.height() + options_.maturity; ++at) {
            const auto maturing = chain_.entry<chain::MaturingPay>(chain::maturing_pay_key(at));
            for (const auto& pay : maturing.pays) {
                if (pay.payee == chain_.address(kLiar)) sum += pay.amount.units();
            }
        }
        return sum;
    }

    [[nodiscard]] std::vector<std::int32_t> model_after() const {
        auto model =
            chain::require_parameters(chain_.state(), chain::model_key(chain::kGenesisTask));
        CHECK(model);
        return *std::move(model);
    }

    const Options& options_;
    bool lies_;
    std::mt19937_64 random_;
    std::shared_ptr<const chain::Network> network_;
    test::AuditedChain chain_;
    Figures figures_;
    std::vector<chain::Hash256> lying_;
    std::uint64_t auditor_before_ = 0;
};

std::string coins(std::uint64_t units) {
    return chain::Amount::from_units(units).value().to_string();
}

// Mean and largest of displacement / clip, as claimed and as settled.
std::string moved_text(const std::vector<Moved>& all) {
    double sum = 0;
    double largest = 0;
    double settled = 0;
    for (const auto& one : all) {
        const double part = static_cast<double>(one.displacement) /
                            static_cast<double>(std::max<std::uint64_t>(one.cap, 1));
        sum += part;
        largest = std::max(largest, part);
        settled = std::max(settled, std::min(part, 1.0));
    }
    return fmt::format(
        "{} segments: claimed {:.2f} of the clip on average, {:.2f} at most; "
        "settled {:.2f} at most",
        all.size(), all.empty() ? 0 : sum / static_cast<double>(all.size()), largest, settled);
}

std::uint64_t largest_of(const std::vector<std::uint64_t>& values) {
    return values.empty() ? 0 : *std::ranges::max_element(values);
}

bool check(bool holds, const std::string& what) {
    if (!holds) fmt::print("does not hold: {}\n", what);
    return holds;
}

bool judge(const Options& options, const Figures& with, const Figures& without) {
    fmt::print("liar           one unit in {}, {} false units in {} until it is caught\n",
               options.lie_every, with.lies, with.liars_units);
    fmt::print("first lie      included at height {}\n", with.first_lie);
    fmt::print(
        "found          at height {} by auditing {} of the others' segments ({} handed in "
        "while it lied)\n",
        with.found, options.audit, with.segments);
    fmt::print("caught         at height {}: {} blocks after its first lie was included\n",
               with.caught, with.caught - with.first_lie);
    fmt::print(
        "immature pay   {} coins before the proof, {} after; burnt {}, to the auditor {}{}\n",
        coins(with.immature_before), coins(with.immature_after), coins(with.burnt),
        coins(with.reward), with.reward_paid ? " (paid)" : "");
    fmt::print("displacement   lying  {}\n", moved_text(with.lying));
    fmt::print("               honest {}\n", moved_text(with.honest));
    fmt::print("model's step   with a lie at most {}, without at most {}; clip at most {}\n",
               largest_of(with.steps_with_lies), largest_of(with.steps_without), with.largest_cap);
    fmt::print(
        "held-out       {:.4f} before the lies; at height {}: {:.4f} with the liar, {:.4f} "
        "without\n",
        with.held_out_at_lie, with.height, with.held_out, without.held_out);
    bool good = check(with.caught > 0, "the liar is caught");
    good &= check(with.immature_before > 0 && with.immature_after == 0,
                  "the liar loses all its immature pay");
    good &= check(with.burnt + with.reward == with.immature_before && with.burnt >= with.reward &&
                      with.burnt - with.reward <= 1,
                  "half of it is burnt, the rest is the auditor's");
    good &= check(with.reward_paid, "the auditor is paid");
    // A mean within the clips, and momentum of a half: at most twice the clip.
    good &= check(largest_of(with.steps_with_lies) <= 2 * with.largest_cap,
                  "no step is longer than twice the largest clip");
    good &=
        check(with.held_out <= without.held_out * 1.05, "the model is as good without the liar");
    good &= check(without.caught == 0 && without.found == 0, "nobody honest is accused");
    return good;
}

int run(int argc, char** argv) {
    Options options;
    CLI::App app("A miner that fakes one unit in a thousand, and an auditor.", "liar_caught");
    app.add_option("--audit", options.audit, "Share of the others' segments that are audited")
        ->capture_default_str();
    app.add_option("--lie-every", options.lie_every, "The liar fakes one unit in so many")
        ->capture_default_str();
    app.add_option("--blocks", options.blocks, "Longest run")->capture_default_str();
    app.add_option("--maturity", options.maturity, "Blocks until pay can be spent")
        ->capture_default_str();
    app.add_option("--win-bits", options.win_bits, "One unit in two to this wins")
        ->capture_default_str();
    app.add_option("--seed", options.seed, "Of lies and draws")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    spdlog::set_level(spdlog::level::off);
    const Figures with = Run(options, true).play();
    Options honest = options;
    honest.blocks = with.height;
    const Figures without = Run(honest, false).play();
    const bool good = judge(options, with, without);
    fmt::print("{}\n", good ? "PASS" : "FAIL");
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace gradient

int main(int argc, char** argv) {
    return gradient::run(argc, argv);
}
