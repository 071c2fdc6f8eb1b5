// The OpenAPI 3.1 document of the HTTP endpoints that programs call, as data: POST /v1/score, and the document itself.
// The names of the features are the bundle's and so not part of it. Served by http.ts.

import { CONTROL_LIMITS } from './limits.ts';

const FEATURES = {
  type: 'object',
  description: 'A value for each feature of the model, by name; null where it is missing.',
  additionalProperties: { type: ['number', 'null'] },
} as const;

const SHAP = {
  type: ['object', 'null'],
  description:
    'Path-dependent TreeSHAP of the raw margin: bias and contributions add up to it. ' +
    'Null when not asked for, or when the model lacks the row counts it needs or is too large.',
  required: ['margin', 'bias', 'contributions'],
  properties: {
    margin: { type: 'number' },
    bias: { type: 'number' },
    contributions: { type: 'object', additionalProperties: { type: 'number' } },
  },
  additionalProperties: false,
} as const;

const SCORED = {
  type: 'object',
  required: ['bundle', 'score', 'class', 'threshold', 'shap'],
  properties: {
    bundle: { type: 'string', description: 'Id of the bundle that scored.' },
    score: {
      type: 'number',
      description:
        '0..1, compared with the threshold; with three classes or more the probability of the class; ' +
        'a regression gives its value.',
    },
    class: { type: ['string', 'null'], description: 'Null for a regression.' },
    threshold: {
      type: ['number', 'null'],
      description:
        'Score at and above which a row is of the second class; null where no single score decides.',
    },
    answer: {
      type: 'array',
      items: { type: 'number' },
      description: 'Of an imported model: what its own library says, a number an output.',
    },
    shap: SHAP,
  },
  additionalProperties: false,
} as const;

const PROBLEM = {
  type: 'object',
  description: 'RFC 9457 problem details.',
  required: ['type', 'title', 'status', 'detail'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'value', 'expected'],
        properties: {
          field: {
            type: 'string',
            description: 'The feature, [row].feature in a list, ?name in the query, or body.',
          },
          value: { type: 'string' },
          expected: { type: 'string' },
          hint: { type: 'string' },
        },
        additionalProperties: false,
      },
    },
  },
  additionalProperties: false,
} as const;

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const oneOrMore = (name: string) => ({
  oneOf: [ref(name), { type: 'array', minItems: 1, maxItems: CONTROL_LIMITS.scoreRowsMax, items: ref(name) }],
});
const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: ref('Problem') } },
});

const PARAMETERS = [
  {
    name: 'bundle',
    in: 'query',
    description: 'At least 8 digits of a digest or bundle id; the active bundle when absent.',
    schema: { type: 'string', pattern: '^[0-9a-f]{8,64}$' },
  },
  { name: 'explain', in: 'query', schema: { type: 'boolean', default: true } },
];

const SCORE = {
  operationId: 'score',
  summary: 'Scores one row of named features, or a list of rows.',
  security: [{ bearer: [] }],
  parameters: PARAMETERS,
  requestBody: {
    required: true,
    description: `At most ${CONTROL_LIMITS.scoreBodyMaxBytes} bytes.`,
    content: { 'application/json': { schema: oneOrMore('Features') } },
  },
  responses: {
    200: {
      description: 'One result for one row, a list for a list.',
      content: { 'application/json': { schema: oneOrMore('Scored') } },
    },
    401: problem('No token, or an unknown one.'),
    403: problem('The token may not score; without a token file, a caller on another machine.'),
    404: problem('No model is active, or none has this name.'),
    413: problem('The body is too large.'),
    415: problem('The body is not application/json.'),
    422: problem('The input cannot be scored; errors name each field.'),
    503: problem('Too many requests at once, or the model cannot be used.'),
  },
};

/** The document; `version` is the program's. */
export function scoreOpenApi(version: string): Record<string, unknown> {
  const describe = {
    operationId: 'describe',
    summary: 'This document.',
    security: [],
    responses: {
      200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: { type: 'object' } } } },
    },
  };
  return {
    openapi: '3.1.0',
    info: { title: 'Picket control plane', version },
    paths: { '/v1/score': { post: SCORE }, '/v1/openapi.json': { get: describe } },
    components: {
      schemas: { Features: FEATURES, Scored: SCORED, Problem: PROBLEM },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
  };
}
