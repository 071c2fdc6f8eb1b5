// Base 2 logarithm with the same bits as Math.log2 of V8, which is that of FreeBSD's msun (e_log2.c and k_log.h; Sun
// Microsystems, freely distributable): so values keep their bits wherever they are computed. Called by login-routes.ts.

const INV_LN2_HI: f64 = 1.44269504072144627571e0;
const INV_LN2_LO: f64 = 1.67517131648865118353e-10;

/** log2(1 + f) - f / ln 2 pieces: s (f - f^2/2 + R) of the approximation on [sqrt(2)/2, sqrt(2)]. */
// @ts-ignore: decorator
@inline
function kernelLog1p(f: f64): f64 {
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (0.3999999999940941908 + w * (0.2222219843214978396 + w * 0.1531383769920937332));
  const last = 0.1818357216161805012 + w * 0.1479819860511658591;
  const odd = z * (0.6666666666666735130 + w * (0.2857142874366239149 + w * last));
  return s * (0.5 * f * f + (odd + even));
}

/** For finite numbers of at least 2^-1022. */
export function log2(x: f64): f64 {
  const bits = reinterpret<u64>(x);
  if (bits == 0x3ff0000000000000) return 0;
  let high = <i32>(bits >>> 32);
  let exponent = (high >> 20) - 1023;
  high &= 0x000fffff;
  const half = (high + 0x95f64) & 0x100000;
  // The mantissa, in [sqrt(2)/2, sqrt(2)].
  const mantissa = (<u64>(<u32>(high | (half ^ 0x3ff00000))) << 32) | (bits & 0xffffffff);
  exponent += half >> 20;
  const y = <f64>exponent;
  const f = reinterpret<f64>(mantissa) - 1;
  const square = 0.5 * f * f;
  const r = kernelLog1p(f);
  const hi = reinterpret<f64>(reinterpret<u64>(f - square) & 0xffffffff00000000);
  const lo = f - hi - square + r;
  const whole = hi * INV_LN2_HI;
  const w = y + whole;
  return (lo + hi) * INV_LN2_LO + lo * INV_LN2_HI + (y - w + whole) + w;
}
