// The one translation unit of header-only Boost.JSON.
#include <boost/json/src.hpp>
