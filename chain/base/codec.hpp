#pragma once

// The one way from values to bytes and back. Grammar:
//
//   integer     little-endian, as many bytes as the type has; signed ones in two's complement
//   bool        one byte, 0 or 1
//   enum        its underlying integer; the value must be known (see KnownEnum)
//   array       its elements, no length
//   list, text  compact size, then the elements; the limit is checked before anything is allocated
//   optional    0, or 1 and the value
//   variant     one byte, the index of the alternative, then its value
//   struct      its fields in the order of its field list, nothing between
//   compact     CompactSize: < 0xfd one byte; else 0xfd + 2, 0xfe + 4 or 0xff + 8 bytes, always the
//   shortest
//
// A struct states its wire form once, for both directions:
//
//   struct Segment {
//       Hash256 template_hash;
//       std::vector<Hash256> digests;
//       static auto fields(auto& self) {
//           return field_list(self.template_hash, bounded<kMaxUnits>(self.digests));
//       }
//   };
//
// A type whose bytes need a rule of their own (Amount, U256) has instead
//
//   static constexpr std::size_t kEncodedSize = 8;                       // or kMinEncodedSize if
//   it varies void encode_to(auto& sink) const;                                    //
//   write_integer(sink, units_); static Result<Amount, CodecError> decode_from(Reader& reader);
//
// A sink is anything with append(ByteSpan): Writer, Sha256, SizeCounter.

#include "chain/base/bytes.hpp"
#include "chain/base/hash.hpp"
#include "chain/base/result.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace gradient::chain {

/// Why bytes are not the encoding of a value. All of them are malformed input: drop it and blame
/// its sender.
enum class CodecError : std::uint8_t {
    truncated,       // the bytes end before the value does
    trailing_bytes,  // bytes are left over after the value
    non_canonical,   // the value has a shorter encoding
    too_large,       // a length exceeds its limit, or a compact integer its type
    bad_value,       // a bool, presence byte, enum, variant index or checked type out of its range
};

/// One sentence for the error.
[[nodiscard]] std::string_view to_string(CodecError error) noexcept;

/// Collects encoded bytes.
class Writer {
  public:
    void append(ByteSpan bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
    void reserve(std::size_t size_bytes) { bytes_.reserve(size_bytes); }

    [[nodiscard]] const Bytes& bytes() const noexcept { return bytes_; }
    [[nodiscard]] Bytes take() && noexcept { return std::move(bytes_); }

  private:
    Bytes bytes_;
};

/// Counts the bytes that an encoding would take.
class SizeCounter {
  public:
    void append(ByteSpan bytes) noexcept { size_ += bytes.size(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

  private:
    std::size_t size_ = 0;
};

/// Takes values off the front of a span. Each call consumes what it returns, or fails and consumes
/// nothing.
class Reader {
  public:
    explicit Reader(ByteSpan bytes) noexcept : rest_(bytes) {}

    /// Bytes that have not been read.
    [[nodiscard]] ByteSpan rest() const noexcept { return rest_; }

    /// The next `size` bytes, as a view into the input.
    [[nodiscard]] Result<ByteSpan, CodecError> take(std::size_t size) noexcept {
        if (size > rest_.size()) return fail(CodecError::truncated);
        const ByteSpan taken = rest_.first(size);
        rest_ = rest_.subspan(size);
        return taken;
    }

  private:
    ByteSpan rest_;
};

// ------------------------------------------------------------------------------------------------
// field wrappers

/// A list, byte string or text of at most kMax elements, seen as a field.
template <class Container, std::size_t kMax>
struct BoundedField {
    Container& container;
};

/// States the limit of a list in a field list: `bounded<kMaxHits>(self.hits)`.
template <std::size_t kMax, class Container>
[[nodiscard]] constexpr BoundedField<Container, kMax> bounded(Container& container) noexcept {
    return {container};
}

/// An unsigned integer in compact form, seen as a field.
template <class Integer>
struct CompactField {
    Integer& integer;
};

/// Encodes an unsigned integer in compact form: `compact(self.unit_count)`.
template <class Integer>
[[nodiscard]] constexpr CompactField<Integer> compact(Integer& integer) noexcept {
    return {integer};
}

/// std::tie that also takes bounded() and compact().
template <class... Fields>
[[nodiscard]] constexpr std::tuple<Fields...> field_list(Fields&&... fields) noexcept {
    return std::tuple<Fields...>(std::forward<Fields>(fields)...);
}

// ------------------------------------------------------------------------------------------------
// kinds of types

/// An enum that says which of its values exist: `constexpr bool is_known_value(Height) { return
/// true; }`, found by argument-dependent lookup. Without it the enum can't be decoded, so that
/// nobody forgets to decide.
template <class T>
concept KnownEnum = std::is_enum_v<T> && requires(T value) {
    { is_known_value(value) } -> std::same_as<bool>;
};

/// A plain integer; bool has rules of its own, characters and floating-point numbers no wire form.
template <class T>
concept WireInteger = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                      !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
                      !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

/// A struct with a field list.
template <class T>
concept FieldStruct = std::is_class_v<T> && requires(T& value) {
    T::fields(value);
};

/// A type that encodes itself; see the head of this file.
template <class T>
concept CustomCodec = std::is_class_v<T> &&
    requires(const T& value, SizeCounter& sink, Reader& reader) {
    value.encode_to(sink);
    { T::decode_from(reader) } -> std::same_as<Result<T, CodecError>>;
};

namespace codec_detail {

template <class T>
struct IsArray : std::false_type {};
template <class T, std::size_t kSize>
struct IsArray<std::array<T, kSize>> : std::true_type {
    using Element = T;
    static constexpr std::size_t kCount = kSize;
};

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <class T>
struct IsVariant : std::false_type {};
template <class... T>
struct IsVariant<std::variant<T...>> : std::true_type {};

template <class T>
struct IsBounded : std::false_type {};
template <class C, std::size_t kMax>
struct IsBounded<BoundedField<C, kMax>> : std::true_type {
    using Element = typename C::value_type;
    static constexpr std::size_t kLimit = kMax;
};

template <class T>
struct IsCompact : std::false_type {};
template <class I>
struct IsCompact<CompactField<I>> : std::true_type {
    using Integer = std::remove_const_t<I>;
};

// Elements that are copied as they are.
template <class T>
inline constexpr bool kIsByte = std::same_as<T, std::uint8_t> || std::same_as<T, char>;

template <class T>
inline constexpr bool kNoWireForm = false;

template <class T>
constexpr std::size_t min_size();
template <class T>
constexpr bool has_fixed_size();

template <class Tuple>
struct TupleSizes;
template <class... T>
struct TupleSizes<std::tuple<T...>> {
    static constexpr std::size_t kMin = (min_size<std::remove_cvref_t<T>>() + ... + 0);
    static constexpr bool kFixed = (has_fixed_size<std::remove_cvref_t<T>>() && ...);
};

template <class T>
using FieldsOf = decltype(T::fields(std::declval<T&>()));

// The least number of bytes that any value of T takes.
template <class T>
constexpr std::size_t min_size() {
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
        return sizeof(T);
    } else if constexpr (IsArray<T>::value) {
        return IsArray<T>::kCount * min_size<typename IsArray<T>::Element>();
    } else if constexpr (FieldStruct<T>) {
        return TupleSizes<FieldsOf<T>>::kMin;
    } else if constexpr (CustomCodec<T>) {
        if constexpr (requires { T::kEncodedSize; }) {
            return T::kEncodedSize;
        } else {
            return T::kMinEncodedSize;
        }
    } else {
        return 1;  // a length, presence or index byte
    }
}

// Whether all values of T take the same number of bytes.
template <class T>
constexpr bool has_fixed_size() {
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
        return true;
    } else if constexpr (IsArray<T>::value) {
        return has_fixed_size<typename IsArray<T>::Element>();
    } else if constexpr (FieldStruct<T>) {
        return TupleSizes<FieldsOf<T>>::kFixed;
    } else if constexpr (CustomCodec<T>) {
        return requires {
            T::kEncodedSize;
        };
    } else {
        return false;
    }
}

// A struct that states its size must be right about it.
template <class T>
constexpr void assert_stated_size() {
    if constexpr (FieldStruct<T> && requires { T::kEncodedSize; }) {
        static_assert(has_fixed_size<T>(), "kEncodedSize is stated, but the size varies");
        static_assert(min_size<T>() == T::kEncodedSize, "kEncodedSize differs from the field list");
    }
}

}  // namespace codec_detail

/// The number of bytes of every T; T must be of fixed size.
template <class T>
[[nodiscard]] constexpr std::size_t fixed_encoded_size() {
    static_assert(codec_detail::has_fixed_size<T>(), "the encoded size of this type varies");
    return codec_detail::min_size<T>();
}

// ------------------------------------------------------------------------------------------------
// encoding

/// Appends an integer, little-endian.
template <class Sink, WireInteger T>
void write_integer(Sink& sink, T value) {
    using Unsigned = std::make_unsigned_t<T>;
    const auto bits = static_cast<std::uint64_t>(static_cast<Unsigned>(value));
    std::array<std::uint8_t, sizeof(T)> bytes{};
    for (std::size_t i = 0; i < sizeof(T); ++i)
        bytes[i] = static_cast<std::uint8_t>(bits >> (8 * i));
    sink.append(bytes);
}

/// Appends a compact integer in its one canonical form.
template <class Sink>
void write_compact(Sink& sink, std::uint64_t value) {
    if (value < 0xfd) {
        write_integer(sink, static_cast<std::uint8_t>(value));
    } else if (value <= 0xffff) {
        write_integer(sink, std::uint8_t{0xfd});
        write_integer(sink, static_cast<std::uint16_t>(value));
    } else if (value <= 0xffffffff) {
        write_integer(sink, std::uint8_t{0xfe});
        write_integer(sink, static_cast<std::uint32_t>(value));
    } else {
        write_integer(sink, std::uint8_t{0xff});
        write_integer(sink, value);
    }
}

/// Appends the encoding of any value or field. That lists are within their limits is the caller's
/// duty: a longer one encodes, and does not decode.
template <class Sink, class T>
void encode_into(Sink& sink, const T& value) {
    namespace detail = codec_detail;
    detail::assert_stated_size<T>();
    if constexpr (std::same_as<T, bool>) {
        write_integer(sink, static_cast<std::uint8_t>(value ? 1 : 0));
    } else if constexpr (WireInteger<T>) {
        write_integer(sink, value);
    } else if constexpr (std::is_enum_v<T>) {
        write_integer(sink, static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (detail::IsArray<T>::value) {
        if constexpr (detail::kIsByte<typename detail::IsArray<T>::Element>) {
            sink.append(value);
        } else {
            for (const auto& element : value) encode_into(sink, element);
        }
    } else if constexpr (detail::IsBounded<T>::value) {
        write_compact(sink, value.container.size());
        if constexpr (detail::kIsByte<typename detail::IsBounded<T>::Element>) {
            sink.append({reinterpret_cast<const std::uint8_t*>(value.container.data()),
                         value.container.size()});
        } else {
            for (const auto& element : value.container) encode_into(sink, element);
        }
    } else if constexpr (detail::IsCompact<T>::value) {
        write_compact(sink, value.integer);
    } else if constexpr (detail::IsOptional<T>::value) {
        encode_into(sink, value.has_value());
        if (value) encode_into(sink, *value);
    } else if constexpr (detail::IsVariant<T>::value) {
        static_assert(std::variant_size_v<T> < 256);
        write_integer(sink, static_cast<std::uint8_t>(value.index()));
        std::visit([&](const auto& alternative) { encode_into(sink, alternative); }, value);
    } else if constexpr (FieldStruct<T>) {
        std::apply([&](const auto&... field) { (encode_into(sink, field), ...); },
                   T::fields(value));
    } else if constexpr (CustomCodec<T>) {
        value.encode_to(sink);
    } else {
        static_assert(
            detail::kNoWireForm<T>,
            "no wire form: give the type a field list, or wrap the list in bounded<limit>()");
    }
}

/// The number of bytes that encode(value) has.
template <class T>
[[nodiscard]] std::size_t encoded_size(const T& value) {
    SizeCounter counter;
    encode_into(counter, value);
    return counter.size();
}

/// The encoding of a value.
template <class T>
[[nodiscard]] Bytes encode(const T& value) {
    Writer writer;
    writer.reserve(encoded_size(value));
    encode_into(writer, value);
    return std::move(writer).take();
}

/// The tagged hash of the encodings of the values, one after the other, without a buffer between.
template <class... T>
[[nodiscard]] Hash256 hash_encoded(const TaggedHasher& hasher, const T&... values) {
    Sha256 state = hasher.start();
    (encode_into(state, values), ...);
    return state.digest();
}

// ------------------------------------------------------------------------------------------------
// decoding

/// Takes an integer.
template <WireInteger T>
[[nodiscard]] Result<T, CodecError> read_integer(Reader& reader) noexcept {
    const auto bytes = reader.take(sizeof(T));
    if (!bytes) return fail(bytes.error());
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) bits |= std::uint64_t{(*bytes)[i]} << (8 * i);
    return static_cast<T>(static_cast<std::make_unsigned_t<T>>(bits));
}

/// Takes a compact integer; refuses one that is longer than need be.
[[nodiscard]] Result<std::uint64_t, CodecError> read_compact(Reader& reader) noexcept;

/// Takes any value or field into `value`, which is unspecified after a failure.
template <class T>
[[nodiscard]] Result<void, CodecError> decode_into(Reader& reader, T& value);

namespace codec_detail {

// Every field in turn until one fails.
template <class Tuple>
Result<void, CodecError> decode_fields(Reader& reader, Tuple fields) {
    Result<void, CodecError> result;
    std::apply(
        [&](auto&&... field) {
            static_cast<void>(((result = decode_into(reader, field)).has_value() && ...));
        },
        fields);
    return result;
}

template <class Container>
Result<void, CodecError> decode_list(Reader& reader, Container& list, std::size_t max_count) {
    using Element = typename Container::value_type;
    TRY_ASSIGN(const std::uint64_t count, read_compact(reader));
    if (count > max_count) return fail(CodecError::too_large);
    // No honest list is longer than its bytes, so a short message can't reserve much memory either.
    static_assert(min_size<Element>() > 0,
                  "elements of no bytes would make a list of any length free");
    if (count > reader.rest().size() / min_size<Element>()) return fail(CodecError::truncated);
    if constexpr (kIsByte<Element>) {
        TRY_ASSIGN(const ByteSpan bytes, reader.take(static_cast<std::size_t>(count)));
        list.assign(bytes.begin(), bytes.end());
    } else {
        list.clear();
        list.reserve(static_cast<std::size_t>(count));
        for (std::uint64_t i = 0; i < count; ++i) TRY(decode_into(reader, list.emplace_back()));
    }
    return {};
}

template <class Variant, std::size_t kIndex = 0>
Result<void, CodecError> decode_variant(Reader& reader, Variant& value, std::size_t index) {
    if constexpr (kIndex == std::variant_size_v<Variant>) {
        return fail(CodecError::bad_value);
    } else {
        if (index != kIndex) return decode_variant<Variant, kIndex + 1>(reader, value, index);
        return decode_into(reader, value.template emplace<kIndex>());
    }
}

}  // namespace codec_detail

template <class T>
Result<void, CodecError> decode_into(Reader& reader, T& value) {
    namespace detail = codec_detail;
    using Plain = std::remove_const_t<T>;  // field wrappers arrive as const tuples' elements
    detail::assert_stated_size<Plain>();
    if constexpr (std::same_as<T, bool>) {
        TRY_ASSIGN(const auto byte, read_integer<std::uint8_t>(reader));
        if (byte > 1) return fail(CodecError::bad_value);
        value = byte == 1;
    } else if constexpr (WireInteger<T>) {
        TRY_ASSIGN(value, read_integer<T>(reader));
    } else if constexpr (std::is_enum_v<T>) {
        static_assert(KnownEnum<T>, "say which values exist: constexpr bool is_known_value(Enum)");
        TRY_ASSIGN(const auto number, read_integer<std::underlying_type_t<T>>(reader));
        value = static_cast<T>(number);
        if (!is_known_value(value)) return fail(CodecError::bad_value);
    } else if constexpr (detail::IsArray<T>::value) {
        if constexpr (detail::kIsByte<typename detail::IsArray<T>::Element>) {
            TRY_ASSIGN(const ByteSpan bytes, reader.take(value.size()));
            std::copy(bytes.begin(), bytes.end(), value.begin());
        } else {
            for (auto& element : value) TRY(decode_into(reader, element));
        }
    } else if constexpr (detail::IsBounded<Plain>::value) {
        return detail::decode_list(reader, value.container, detail::IsBounded<Plain>::kLimit);
    } else if constexpr (detail::IsCompact<Plain>::value) {
        using Integer = typename detail::IsCompact<Plain>::Integer;
        static_assert(std::unsigned_integral<Integer>);
        TRY_ASSIGN(const std::uint64_t number, read_compact(reader));
        if (number > std::numeric_limits<Integer>::max()) return fail(CodecError::too_large);
        value.integer = static_cast<Integer>(number);
    } else if constexpr (detail::IsOptional<T>::value) {
        bool present = false;
        TRY(decode_into(reader, present));
        value.reset();
        if (present) return decode_into(reader, value.emplace());
    } else if constexpr (detail::IsVariant<T>::value) {
        TRY_ASSIGN(const auto index, read_integer<std::uint8_t>(reader));
        return detail::decode_variant(reader, value, index);
    } else if constexpr (FieldStruct<T>) {
        return detail::decode_fields(reader, T::fields(value));
    } else if constexpr (CustomCodec<T>) {
        TRY_ASSIGN(value, T::decode_from(reader));
    } else {
        static_assert(
            detail::kNoWireForm<T>,
            "no wire form: give the type a field list, or wrap the list in bounded<limit>()");
    }
    return {};
}

/// Takes one value and leaves what follows in the reader. After a failure the reader's position is
/// unspecified.
template <class T>
[[nodiscard]] Result<T, CodecError> decode_prefix(Reader& reader) {
    T value{};
    TRY(decode_into(reader, value));
    return value;
}

/// The value that all of `bytes` encode; refuses bytes left over.
template <class T>
[[nodiscard]] Result<T, CodecError> decode_exact(ByteSpan bytes) {
    Reader reader(bytes);
    auto value = decode_prefix<T>(reader);
    if (value && !reader.rest().empty()) return fail(CodecError::trailing_bytes);
    return value;
}

}  // namespace gradient::chain
