#pragma once

#include <stdexcept>
#include <string>

namespace gradient::node {

/// How gradientd and gradient end. The numbers are documented in the README; never renumber.
enum class ExitCode : int {
    ok = 0,
    failure = 1,         ///< anything without a code of its own
    usage = 2,           ///< wrong command line or configuration file
    chain_spec = 3,      ///< the chain spec or the text is missing, unreadable or wrong
    data_directory = 4,  ///< in use, unreadable, of another chain or another version
    network = 5,         ///< address taken, node not reachable, not authorised
    storage = 6,         ///< the disk is full or fails; nothing acknowledged is lost
    invalid_chain = 7,   ///< `gradient verify` found a block that breaks a rule
};

/// A reason to end the program: one sentence for its user, and the exit code.
class Failure : public std::runtime_error {
  public:
    /// A missing full stop is added, as sentences of other layers come without one.
    Failure(ExitCode code, const std::string& sentence)
        : std::runtime_error(sentence.ends_with('.') ? sentence : sentence + "."), code_(code) {}
    [[nodiscard]] ExitCode code() const noexcept { return code_; }

  private:
    ExitCode code_;
};

}  // namespace gradient::node
