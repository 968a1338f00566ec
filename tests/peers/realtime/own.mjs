// A server of socket.io on the listener it was started with, which knows of the others by its Redis adapter at the hub.

import { createServer } from "node:http";
import { peer } from "../hub/cases.mjs";

const { Server } = await peer("socket.io");
const { createAdapter } = await peer("@socket.io/redis-adapter");
const { createClient } = await peer("redis");

const client = async () => {
    const made = createClient({ url: process.env.REDIS_URL });
    made.on("error", () => {});
    return made.connect();
};
const http = createServer();
const io = new Server(http, { adapter: createAdapter(await client(), await client()) });
io.on("connection", (socket) => {
    socket.on("who", (done) => done(process.pid));
    socket.on("enter", async (room, done) => done(await socket.join(room)));
    socket.on("say", (text, room) => (room ? io.to(room) : io).emit("said", text));
});
http.listen({ fd: 3 }, () => console.log("listens"));
process.on("SIGTERM", () => process.exit(0));
