// crc32.h -- the check value of gzip members (RFC 1952, section 8).
#pragma once
#include <cstddef>
#include <cstdint>

namespace espalier {

// Of the bytes behind those that gave `crc`; 0 before the first. `portable` leaves out the instructions of the processor, for tests.
std::uint32_t crc32_of(std::uint32_t crc, const std::uint8_t* data, std::size_t size, bool portable = false);

}  // namespace espalier
