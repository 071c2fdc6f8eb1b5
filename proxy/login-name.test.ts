// Login names from bodies: what servers read, in all ways of writing it; cut, broken and hostile bodies give a name or none.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LoginBody, loginNameOf } from './login-name.ts';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json; charset=utf-8';
const body = (text: string, contentType: string, whole = true): LoginBody => ({
  prefix: Buffer.from(text),
  whole,
  contentType,
});

describe('forms', () => {
  test.each([
    ['username=Alice&password=x', 'username', 'alice'],
    ['password=x&username=%20Al%69ce+B%C3%A4r%20', 'username', 'alice bär'],
    ['user%6Eame=eve', 'username', 'eve'],
    ['username=first&username=second', 'username', 'first'],
    ['user[name]=zoe', 'user[name]', 'zoe'],
    ['user=1', 'username', ''],
    ['username', 'username', ''],
    ['username=%zz%', 'username', '%zz%'],
    ['', 'username', ''],
  ])('%j, field %s', (text, field, wanted) => {
    expect(loginNameOf(body(text, FORM), field)).toBe(wanted);
  });

  test('a cut value counts as none, one before the cut counts', () => {
    expect(loginNameOf(body('a=1&username=ali', FORM, false), 'username')).toBe('');
    expect(loginNameOf(body('username=alice&passw', FORM, false), 'username')).toBe('alice');
  });
});

describe('JSON', () => {
  test.each([
    ['{"username": "Alice", "password": "x"}', 'username', 'alice'],
    ['{"p":{"username":"no"},"q":["username","no"],"username":"yes"}', 'username', 'yes'],
    ['{"user":{"name":"x","email":"A@B.c"}}', 'user.email', 'a@b.c'],
    ['{"email":"no","user":{"deep":{"email":"no"}}}', 'user.email', ''],
    ['{"username":"first","username":"second"}', 'username', 'second'],
    ['{"user\\u006eame":"\\u0041l\\"ice"}', 'username', 'al"ice'],
    ['{"username": 12345 }', 'username', '12345'],
    ['{"username": null, "x": "username"}', 'username', ''],
    ['{"username": {"a": "b"}}', 'username', ''],
    ['["username", "no"]', 'username', ''],
    ['"username"', 'username', ''],
    ['{"a": "\\"username\\": \\"no\\"", "username": "ＦＵＬＬ"}', 'username', 'full'],
  ])('%s, field %s', (text, field, wanted) => {
    expect(loginNameOf(body(text, JSON_TYPE), field)).toBe(wanted);
  });

  test('a cut value counts as none', () => {
    for (const text of [
      '{"username":"ali',
      '{"username":123',
      '{"username',
      '{"username":',
      '{"username":"ali\\',
    ])
      expect(loginNameOf(body(text, JSON_TYPE, false), 'username')).toBe('');
    expect(loginNameOf(body('{"username":"alice","pa', JSON_TYPE, false), 'username')).toBe('alice');
  });

  test('any object: as JSON.parse has it, at the top and one level down', () => {
    const value = fc.oneof(
      fc.string({ maxLength: 20, unit: 'binary' }),
      fc.integer(),
      fc.boolean(),
      fc.jsonValue(),
    );
    const entries = fc.dictionary(fc.constantFrom('u', 'n', 'uu', '', 'u.n'), value);
    const run = (object: Record<string, unknown>, spaces: number) => {
      const text = JSON.stringify({ ...object, o: object }, null, spaces);
      const parsed = JSON.parse(text) as Record<string, unknown>;
      const wanted = (found: unknown) => {
        if (typeof found !== 'string' && typeof found !== 'number') return '';
        const name = String(found).slice(0, 1024).normalize('NFKC').trim().toLowerCase();
        return name.slice(0, 256);
      };
      // Lone surrogates do not survive the way through bytes.
      fc.pre(text.isWellFormed());
      expect(loginNameOf(body(text, JSON_TYPE), 'u')).toBe(wanted(parsed['u']));
      expect(loginNameOf(body(text, ''), 'o.u')).toBe(wanted((parsed['o'] as Record<string, unknown>)['u']));
    };
    fc.assert(fc.property(entries, fc.nat(2), run), { numRuns: 500 });
  });
});

test('other types: what begins like an object is JSON, all else a form; multipart is not read', () => {
  expect(loginNameOf(body(' {"u":"a"}', 'text/plain'), 'u')).toBe('a');
  expect(loginNameOf(body('u=a', ''), 'u')).toBe('a');
  expect(loginNameOf(body('{"u":"a"}', 'application/vnd.api+json'), 'u')).toBe('a');
  expect(loginNameOf(body('u=a', 'multipart/form-data; boundary=x'), 'u')).toBe('');
});

test('any bytes, any field: a name of bounded length and no exception', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc
      .string({ maxLength: 300, unit: fc.constantFrom(...'{}[]":,\\u0061 n=&%') })
      .map((text) => Buffer.from(text)),
  );
  const field = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom(...'un.[]') });
  const run = (prefix: Uint8Array, name: string, contentType: string, whole: boolean) => {
    const found = loginNameOf({ prefix, whole, contentType }, name);
    expect(found.length).toBeLessThanOrEqual(256);
  };
  const type = fc.constantFrom(FORM, JSON_TYPE, '', 'multipart/form-data');
  fc.assert(fc.property(bytes, field, type, fc.boolean(), run), { numRuns: 1000 });
});

test('deep and long bodies end in time that grows with their length only', () => {
  const deep = `${'{"a":'.repeat(3000)}1`;
  expect(loginNameOf(body(deep, JSON_TYPE), 'u')).toBe('');
  const strings = `{"u":"x",${'"a":"b",'.repeat(1500)}`;
  expect(loginNameOf(body(strings, JSON_TYPE, false), 'u')).toBe('x');
});
