// Distances on the earth, for kernel/assembly/travel.ts: sine and cosine are the host's, so that every build gives the same bits.
// Called by the kernel when a principal's place has changed.

const EARTH_RADIUS_KM = 6371.0088;

/** Great-circle distance by the haversine formula on a sphere, km. */
export function distanceKm(fromLat: number, fromLon: number, toLat: number, toLon: number): number {
  const degree = Math.PI / 180;
  const sinLat = Math.sin(((toLat - fromLat) * degree) / 2);
  const sinLon = Math.sin(((toLon - fromLon) * degree) / 2);
  const h = sinLat * sinLat + Math.cos(fromLat * degree) * Math.cos(toLat * degree) * sinLon * sinLon;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}
