// Configuration texts of the peers that have one: nginx (also the origin), HAProxy, Envoy. Each runs one worker with
// kept connections and no access log: what a careful operator would set. Pure; written to files by peers.ts.

const ANSWER = JSON.stringify({
  id: 12345,
  name: 'widget',
  price: 19.99,
  tags: ['a', 'b', 'c'],
  stock: 42,
  description: 'a small thing of use to many people who like small things',
});

function nginxFrame(folder: string, name: string, body: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
    .join(' ');
  return `worker_processes 1; daemon off; error_log /dev/null crit; pid ${folder}/${name}.pid;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 100000000; ${temporary}
${body} }
`;
}

/** A static answer of about 200 bytes of JSON to every path. */
export function nginxOrigin(folder: string, port: number): string {
  const location = `location / { default_type application/json; return 200 '${ANSWER}'; }`;
  return nginxFrame(folder, 'origin', `server { listen 127.0.0.1:${port} backlog=4096; ${location} }`);
}

export function nginxProxy(folder: string, port: number, originPort: number): string {
  const keep = 'keepalive 128; keepalive_requests 100000000;';
  const upstream = `upstream o { server 127.0.0.1:${originPort}; ${keep} }`;
  const location = `location / { proxy_pass http://o; proxy_http_version 1.1; proxy_set_header Connection "";
  proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }`;
  const server = `server { listen 127.0.0.1:${port} backlog=4096; ${location} }`;
  return nginxFrame(folder, 'proxy', `${upstream}\n${server}`);
}

export function haproxy(port: number, originPort: number): string {
  return `global
 nbthread 1
defaults
 mode http
 timeout connect 5s
 timeout client 30s
 timeout server 30s
 http-reuse always
 option forwardfor
frontend f
 bind 127.0.0.1:${port}
 default_backend b
backend b
 server s 127.0.0.1:${originPort}
`;
}

const address = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } });

/** Envoy reads JSON as YAML. */
export function envoy(port: number, originPort: number): string {
  const api = 'type.googleapis.com/envoy.extensions.filters';
  const manager = {
    '@type': `${api}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'i',
    use_remote_address: true,
    generate_request_id: false,
    route_config: {
      virtual_hosts: [
        { name: 'v', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'o' } }] },
      ],
    },
    http_filters: [{ name: 'router', typed_config: { '@type': `${api}.http.router.v3.Router` } }],
  };
  const limits = { max_connections: 4096, max_pending_requests: 4096, max_requests: 4096 };
  const cluster = {
    name: 'o',
    type: 'STATIC',
    circuit_breakers: { thresholds: [limits] },
    load_assignment: {
      cluster_name: 'o',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(originPort) } }] }],
    },
  };
  const listener = {
    address: address(port),
    filter_chains: [{ filters: [{ name: 'hcm', typed_config: manager }] }],
  };
  return JSON.stringify({ static_resources: { listeners: [listener], clusters: [cluster] } });
}
