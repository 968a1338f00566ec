// An HTTP server on inherited fds that answers with its pid; `/slow?ms=N` answers after N ms.
//
// It takes every fd of LISTEN_FDS, refuses to start when they are meant for another process, and on SIGTERM
// stops accepting, finishes what it has accepted, tells kept connections to close, and ends with exit code 0.
"use strict";

const http = require("node:http");

const FIRST_FD = 3;

if (process.env.LISTEN_PID !== String(process.pid)) {
  console.error(`LISTEN_PID is ${process.env.LISTEN_PID}, this process is ${process.pid}`);
  process.exit(78);
}

let draining = false;

function answer(request, response) {
  const url = new URL(request.url, "http://worker");
  const delay_ms = url.pathname === "/slow" ? Number(url.searchParams.get("ms")) : 0;
  setTimeout(() => {
    if (draining) response.setHeader("Connection", "close");
    response.end(String(process.pid));
  }, delay_ms);
}

const servers = [];
for (let index = 0; index < Number(process.env.LISTEN_FDS); index += 1) {
  const server = http.createServer(answer);
  server.listen({ fd: FIRST_FD + index }, () => console.log(`listening on fd ${FIRST_FD + index}`));
  servers.push(server);
}

process.on("SIGTERM", () => {
  draining = true;
  for (const server of servers) {
    server.close();
    server.closeIdleConnections();
  }
});
