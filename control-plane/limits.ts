// Every bound of the control plane in one place, with its unit in the name.
// Nothing that arrives from outside is unbounded.

export const CONTROL_LIMITS = {
  /** One gRPC message, either way. */
  messageMaxBytes: 4 * 1024 * 1024,
  /** Concurrent calls on one connection. */
  streamsMax: 256,
  /** Sidecars connected at the same time. */
  sidecarsMax: 10_000,
  offeredFeaturesMax: 4_096,
  /** Events, amendments and dropped ranges of one batch. */
  batchItemsMax: 10_000,
  /** Batches of one Publish call that wait for the store; reading stops above it. */
  publishPendingMax: 8,
  /** Bytes of all batches that wait for the store. */
  intakePendingMaxBytes: 64 * 1024 * 1024,
  /** Event streams of one boot id. */
  streamsPerProducerMax: 256,
  /** Boot ids whose marks are kept; the one unseen for longest is forgotten first. */
  producersMax: 20_000,
  /** A producer unseen for so long is forgotten when a new day begins. */
  producerForgetMs: 7 * 86_400_000,
  schemasMax: 4_096,
  schemaFeaturesMax: 1_024,
  /** Highest sequence number that is believed. */
  sequenceMax: 2 ** 48,
  bundleMaxBytes: 64 * 1024 * 1024,
  bundleChunkBytes: 256 * 1024,
  pushesAtOnceMax: 2,
  actorMaxChars: 128,
  pageEventsMax: 500,
  pageBuckets: 360,
  pageBucketsMax: 8_640,
  pageSidecars: 500,
  statusSidecarsMax: 1_000,
  requestIdsMax: 1_000,
  followersMax: 64,
  /** One body of POST /v1/score, and the rows in it. */
  scoreBodyMaxBytes: 1024 * 1024,
  scoreRowsMax: 1_000,
  scoresAtOnceMax: 16,
  scoreNameMaxChars: 128,
  /** Bundles that are kept ready to score. */
  scoreModelsMax: 2,
  ackWaitDefaultMs: 2_000,
  ackWaitMaxMs: 30_000,
} as const;
