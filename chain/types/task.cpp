#include "chain/types/task.hpp"

#include "chain/base/hash.hpp"

namespace gradient::chain {

Hash256 task_digest(const TaskRecord& task) noexcept {
    static const TaggedHasher kHasher("gradient/task");
    return hash_encoded(kHasher, task);
}

}  // namespace gradient::chain
