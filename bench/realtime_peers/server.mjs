// socket.io's own server: POST or GET /emit sends to all. Prints its port.
import { createServer } from "node:http";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.PEERS}/package.json`);
const { Server } = require("socket.io");
let count = 0;
const http = createServer((request, response) => {
    io.emit("news", String(count++).padStart(40, "."));
    response.end("ok");
});
const io = new Server(http, { serveClient: false });
http.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => console.log(http.address().port));
