// The chi-squared distribution: probability below a value, and the value below which a share lies. By the incomplete gamma
// function (series and continued fraction, Abramowitz and Stegun 6.5.29 and 6.5.31; Lanczos logarithm).
// Called by robust-covariance.ts.

const LANCZOS = [
  0.9999999999998099, 676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406,
  12.507343278686905, -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
];
const TERMS_MAX = 10_000;

function logGamma(x: number): number {
  const z = x - 1;
  let sum = LANCZOS[0]!;
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i]! / (z + i);
  const t = z + LANCZOS.length - 1.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** Regularised lower incomplete gamma function P(a, x), a above 0, x 0 or more. */
function lowerGamma(a: number, x: number): number {
  if (x === 0) return 0;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; n < TERMS_MAX && term > sum * Number.EPSILON; n++) {
      term *= x / (a + n);
      sum += term;
    }
    return Math.min(1, sum * front);
  }
  let b = x + 1 - a;
  let c = 1 / Number.MIN_VALUE;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < TERMS_MAX; n++) {
    const an = -n * (n - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    const factor = c * d;
    fraction *= factor;
    if (Math.abs(factor - 1) <= Number.EPSILON) break;
  }
  return 1 - fraction * front;
}

/** Share of the distribution below `value`. @param degrees degrees of freedom, above 0. */
export function chiSquaredBelow(value: number, degrees: number): number {
  return value <= 0 ? 0 : lowerGamma(degrees / 2, value / 2);
}

/**
 * Value below which `share` of the distribution lies, by bisection to the last bit.
 * @throws RangeError for a share outside (0, 1) or degrees not above 0.
 */
export function chiSquaredQuantile(share: number, degrees: number): number {
  if (!(share > 0 && share < 1 && degrees > 0)) {
    throw new RangeError(`no quantile of share ${share} with ${degrees} degrees of freedom`);
  }
  let low = 0;
  let high = 1;
  while (chiSquaredBelow(high, degrees) < share) high *= 2;
  for (;;) {
    const middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return middle;
    if (chiSquaredBelow(middle, degrees) < share) low = middle;
    else high = middle;
  }
}
