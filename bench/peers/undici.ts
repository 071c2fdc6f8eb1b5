// Peer for bench/proxy.ts: bare node:http in, undici dispatch out, with none of the rules a proxy must keep. It is the
// floor of what this runtime can do; Picket's general path is measured against it. Arguments: port, origin port.
import { createServer } from 'node:http';
import { type Dispatcher, Pool } from 'undici';

const [port, originPort] = process.argv.slice(2).map(Number);
const pool = new Pool(`http://127.0.0.1:${originPort}`, { connections: 128 });

createServer((request, response) => {
  const options: Dispatcher.DispatchOptions = {
    method: request.method as Dispatcher.HttpMethod,
    path: request.url ?? '/',
    headers: request.headers,
    body: request.method === 'GET' ? null : request,
  };
  pool.dispatch(options, {
    onRequestStart() {},
    onResponseStart(_controller, status, headers) {
      response.writeHead(status, headers);
    },
    onResponseData(_controller, chunk) {
      response.write(chunk);
    },
    onResponseEnd() {
      response.end();
    },
    onResponseError(_controller, error) {
      response.destroy(error);
    },
  });
}).listen(port, '127.0.0.1');
