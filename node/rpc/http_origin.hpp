#pragma once

// Whether a browser may be used against this node by a page of somebody else.

#include <string>
#include <string_view>
#include <vector>

namespace gradient::node {

/// Whether a Host header names this node: localhost, any IP address, or one of `names`. A page of
/// another site whose name has been pointed at this machine (DNS rebinding) shows its own name.
[[nodiscard]] bool names_this_node(std::string_view host, const std::vector<std::string>& names);

/// Whether an Origin header tells of a page that came from that host itself. Programs send none.
[[nodiscard]] bool is_same_origin(std::string_view origin, std::string_view host);

}  // namespace gradient::node
