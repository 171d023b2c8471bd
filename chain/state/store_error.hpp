#pragma once

#include <cstdint>
#include <string>

namespace gradient::chain {

/// What is wrong with stored data. None of these is anybody else's fault: stop, do not penalise.
enum class StoreFault : std::uint8_t {
    corrupt,     // stored bytes are damaged or do not belong together
    unreadable,  // a directory or file is missing or may not be read or written
    in_use,      // another process holds the directory
    full,        // the disk has no space left
    foreign,     // the data belongs to another network or another version of this program
    pruned,      // what is asked for has been pruned; all else is well
    failed,      // any other failure of the system
};

/// Why stored data can't be read or written. The message is one sentence that names the place, the
/// cause and the remedy.
struct StoreError {
    StoreFault fault = StoreFault::failed;
    std::string message;

    friend bool operator==(const StoreError&, const StoreError&) = default;
};

}  // namespace gradient::chain
