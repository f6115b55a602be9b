// What the managed Node.js runtime does, without its native parts: import the handler, then ask for events.
import http from 'node:http';

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, method, path: `/2018-06-01/runtime${path}`, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => (text += part));
      response.on('end', () => resolve({ headers: response.headers, text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

const [module, name] = process.env._HANDLER.split('.');
const handler = (await import(`${process.env.LAMBDA_TASK_ROOT}/${module}.mjs`))[name];
for (;;) {
  const event = await call('GET', '/invocation/next');
  const id = event.headers['lambda-runtime-aws-request-id'];
  const answer = await handler(JSON.parse(event.text));
  await call('POST', `/invocation/${id}/response`, JSON.stringify(answer));
}
