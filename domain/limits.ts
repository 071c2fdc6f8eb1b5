// Every bound of the data plane in one place, with its unit in the name. Defaults; those that config can change say so.
// Sources: reference tables of docs/life-of-a-request.md; sizes follow RFC 9112 section 3 and RFC 6585 section 5.

export const LIMITS = {
  /** Request target, bytes; longer is refused with 414. */
  targetMaxBytes: 8 * 1024,
  /** All of a request head, bytes; larger is refused with 431. */
  headMaxBytes: 16 * 1024,
  /** Field lines of a request head; more is refused with 431. */
  fieldsMax: 200,
  /** Chunk extensions of one chunk that are read and dropped, bytes (Node's parser enforces it). */
  chunkExtMaxBytes: 16 * 1024,
  headTimeoutMs: 10_000,
  bodyIdleTimeoutMs: 60_000,
  keepAliveIdleMs: 75_000,
  connectTimeoutMs: 2_000,
  upstreamHeadTimeoutMs: 300_000,
  upstreamKeepAliveMs: 1_000,
  wsHandshakeTimeoutMs: 10_000,
  wsIdleTimeoutMs: 3_600_000,
  connectionsMax: 4_096,
  inflightMax: 1_024,
  /** Pipelined requests that may wait on one connection before reading from it stops. */
  pipelinedMax: 16,
  drainMs: 10_000,
  /** A body of a hold-prefix route is waited for at most so long. */
  holdMs: 50,
  /** Bytes of it that are enough, and the most that config may ask for. */
  bodyPrefixBytes: 8 * 1024,
  bodyPrefixMaxBytes: 16 * 1024,
  /** Bodies held at the same time; further requests are judged by their head. */
  heldBodiesMax: 64,
  /** One piece of a body as Node reads it from a socket: what a held body may be longer than its prefix. */
  bodyPieceMaxBytes: 64 * 1024,
  /** Entries of X-Forwarded-For or Forwarded that are read, from the right. */
  forwardedEntriesMax: 32,
  /** A client's x-request-id that is kept, bytes. */
  requestIdMaxBytes: 64,
  /** Bytes of the path that an event keeps; the query never leaves the pod. */
  eventPathMaxBytes: 96,
  /** Bytes of the route template that an event keeps. */
  eventRouteMaxBytes: 64,
  /** Events that wait for their ack: flagged and blocked ones, and allowed ones. */
  flaggedRingSlots: 8_192,
  allowRingSlots: 8_192,
  /** An event whose outcome is unknown for so long goes out as pending. */
  outcomePendingMs: 2_000,
  /** Learned route templates; further ones count as `other`. */
  learnedRoutesMax: 768,
  /** Places of the feature vector plus detector slots. */
  vectorPlaces: 512,
  identitiesDefault: 25_000,
} as const;
