// Quantities with a unit in their type: a rate cannot be added to a price, and the conversions
// between them are written once, here.
#pragma once

#include <cmath>
#include <compare>
#include <limits>

namespace fogline {

/// A number of one unit. Same units add and compare; a plain number scales; the quotient of two is
/// a plain number.
template <typename Unit>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(double value) : value_(value) {}

  static constexpr Quantity Infinite() { return Quantity(std::numeric_limits<double>::infinity()); }
  constexpr double value() const { return value_; }
  bool IsFinite() const { return std::isfinite(value_); }

  constexpr auto operator<=>(const Quantity&) const = default;
  constexpr Quantity& operator+=(Quantity o) { return *this = *this + o; }
  constexpr Quantity& operator-=(Quantity o) { return *this = *this - o; }
  friend constexpr Quantity operator+(Quantity a, Quantity b) {
    return Quantity(a.value_ + b.value_);
  }
  friend constexpr Quantity operator-(Quantity a, Quantity b) {
    return Quantity(a.value_ - b.value_);
  }
  friend constexpr Quantity operator*(Quantity a, double f) { return Quantity(a.value_ * f); }
  friend constexpr Quantity operator*(double f, Quantity a) { return Quantity(a.value_ * f); }
  friend constexpr Quantity operator/(Quantity a, double f) { return Quantity(a.value_ / f); }
  friend constexpr double operator/(Quantity a, Quantity b) { return a.value_ / b.value_; }

 private:
  double value_ = 0;
};

using Milliseconds = Quantity<struct MillisecondUnit>;
using Bytes = Quantity<struct ByteUnit>;
using MegabitsPerSecond = Quantity<struct MegabitPerSecondUnit>;  // 10^6 bits a second
using MegabytesPerSecond = Quantity<struct MegabytePerSecondUnit>;
using Watts = Quantity<struct WattUnit>;
using Millijoules = Quantity<struct MillijouleUnit>;
using KilowattHours = Quantity<struct KilowattHourUnit>;
using Euro = Quantity<struct EuroUnit>;
using EuroPerHour = Quantity<struct EuroPerHourUnit>;
using EuroPerGigabyte = Quantity<struct EuroPerGigabyteUnit>;  // 10^9 bytes
using EuroPerKilowattHour = Quantity<struct EuroPerKilowattHourUnit>;
using MillijoulesPerKilobyte = Quantity<struct MillijoulePerKilobyteUnit>;  // 10^3 bytes

constexpr double kMillisecondsPerHour = 3.6e6;
/// A month of billing: 365 days / 12, as the paper's tables use it (730 hours).
constexpr double kHoursPerMonth = 730;

/// Time to push that many bytes through a link of that rate.
constexpr Milliseconds operator/(Bytes bytes, MegabitsPerSecond rate) {
  return Milliseconds(bytes.value() * 8 / (rate.value() * 1000));
}
constexpr Milliseconds operator/(Bytes bytes, MegabytesPerSecond rate) {
  return Milliseconds(bytes.value() / (rate.value() * 1000));
}
constexpr Millijoules operator*(Watts power, Milliseconds time) {
  return Millijoules(power.value() * time.value());
}
constexpr KilowattHours ToKilowattHours(Millijoules energy) {
  return KilowattHours(energy.value() / 3.6e9);
}
constexpr Millijoules operator*(MillijoulesPerKilobyte rate, Bytes bytes) {
  return Millijoules(rate.value() * bytes.value() / 1e3);
}
constexpr Euro operator*(EuroPerHour rate, Milliseconds time) {
  return Euro(rate.value() * time.value() / kMillisecondsPerHour);
}
constexpr Euro operator*(EuroPerGigabyte rate, Bytes bytes) {
  return Euro(rate.value() * bytes.value() / 1e9);
}
constexpr Euro operator*(EuroPerKilowattHour rate, KilowattHours energy) {
  return Euro(rate.value() * energy.value());
}

}  // namespace fogline
