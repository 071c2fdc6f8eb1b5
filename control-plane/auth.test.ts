// Token files are taken whole or not at all; a caller gets exactly what its role allows.

import { describe, expect, test } from 'vitest';
import { PicketError } from '../domain/errors.ts';
import { authenticate, mayCall, parseTokens } from './auth.ts';

const OPERATOR = 'o'.repeat(32);
const SIDECAR = `with:colons:${'s'.repeat(20)}`;
const TOKENS = parseTokens(`# two tokens\noperator:${OPERATOR}\n\n  sidecar:${SIDECAR}  \n`);

describe('tokens', () => {
  test('the right token gives its role and a fingerprint that is not the token', () => {
    expect(authenticate(TOKENS, `Bearer ${OPERATOR}`)).toMatchObject({ role: 'operator' });
    const caller = authenticate(TOKENS, `bearer ${SIDECAR}`);
    expect(caller.role).toBe('sidecar');
    expect(caller.token).toMatch(/^[0-9a-f]{8}$/);
  });

  test.each([undefined, '', 'Bearer', `Basic ${OPERATOR}`, `Bearer ${OPERATOR}x`, OPERATOR, 'Bearer a b'])(
    'refused: %s',
    (value) => {
      expect(() => authenticate(TOKENS, value)).toThrow(PicketError);
    },
  );

  test('every bad line is named, and no token is shown', () => {
    const content = `operator:short\nadmin:${OPERATOR}\nnonsense-${SIDECAR}\n`;
    const error = (() => {
      try {
        parseTokens(content);
      } catch (thrown) {
        return thrown as PicketError;
      }
      return null;
    })();
    expect(error?.problems.map((problem) => problem.field)).toEqual(['line 1', 'line 2', 'line 3']);
    expect(JSON.stringify(error?.problems)).not.toContain('short');
    expect(JSON.stringify(error?.problems)).not.toContain('sss');
    expect(() => parseTokens('# nothing\n')).toThrow(/token file is wrong/);
  });

  test('roles', () => {
    const setMode = '/picket.v1.ControlService/SetMode';
    const connect = '/picket.v1.SidecarService/Connect';
    expect(['operator', 'sidecar', 'viewer'].map((role) => mayCall(role as 'viewer', setMode))).toEqual([
      true,
      false,
      false,
    ]);
    expect(mayCall('sidecar', connect)).toBe(true);
    expect(mayCall('sidecar', '/picket.v1.EventService/Publish')).toBe(true);
    expect(mayCall('viewer', connect)).toBe(false);
    expect(mayCall('viewer', '/picket.v1.ControlService/GetPolicy')).toBe(true);
    expect(mayCall('viewer', '/picket.v1.VerdictService/ListVerdicts')).toBe(true);
    expect(mayCall('viewer', '/picket.v1.ModelService/PushModel')).toBe(false);
    expect(mayCall('sidecar', '/picket.v1.VerdictService/ListVerdicts')).toBe(false);
    expect(mayCall('viewer', '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo')).toBe(true);
    expect(mayCall('sidecar', '/grpc.health.v1.Health/Check')).toBe(true);
  });
});
