// What pm2 runs as a cluster: answers with its pid; `/slow?ms=N` answers after N ms. On SIGINT, which is how pm2
// tells an old process to go, it stops accepting, finishes what it has, and ends by itself.
"use strict";

const http = require("node:http");

const server = http.createServer((request, response) => {
  const url = new URL(request.url, "http://worker");
  setTimeout(() => response.end(String(process.pid)), Number(url.searchParams.get("ms")));
});
server.listen(Number(process.env.PORT), "127.0.0.1");

process.on("SIGINT", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
