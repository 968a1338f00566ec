const fs = require("fs");
const server = require("http").createServer((request, response) => {
  fs.appendFileSync("log", `${request.method} ${request.url}\n`);
  request.resume();
  request.on("end", () => response.end());
  request.on("error", () => {});
});
server.on("clientError", (_, socket) => socket.destroy());
server.listen("socket");
