// The bus as zeromq.js sees it: every kind of socket the hub serves, multipart messages, heartbeats, a service.
import assert from "node:assert/strict"
import { createRequire } from "node:module"

const zmq = createRequire(`${process.env.PEERS}/`)("zeromq")
const patience = 20_000
const beat = { heartbeatInterval: 100, heartbeatTimeout: 400 }
const connected = (socket, address = process.env.BUS) => (socket.connect(address), socket)
const texts = (frames) => frames.map(String)

const ask = connected(new zmq.Request({ receiveTimeout: patience }), process.env.BUS_LOCAL)
const asked = async (...frames) => (await ask.send(frames), texts(await ask.receive()))
const sync = async (topic) => assert.deepEqual(await asked("SYNC", topic, String(patience)), ["OK"])

const sub = connected(new zmq.Subscriber({ receiveTimeout: patience, ...beat }))
sub.subscribe("node.")
await sync("node.")
const push = connected(new zmq.Push(beat))
await push.send(["node.a", "", "x".repeat(300), Buffer.alloc(100_000)])
const [topic, empty, text, large] = await sub.receive()
assert.deepEqual([String(topic), empty.length, text.length, large.length], ["node.a", 0, 300, 100_000])
await push.send("node.b the seed's format")
assert.deepEqual(texts(await sub.receive()), ["node.b the seed's format"])
await push.send(["other", "not for us"])
for (let number = 0; number < 5000; number++) await push.send(["node.n", String(number)])
for (let number = 0; number < 5000; number++) assert.deepEqual(texts(await sub.receive()), ["node.n", String(number)])
await new Promise((resolve) => setTimeout(resolve, 1500))
await push.send("node.after a while")
assert.deepEqual(texts(await sub.receive()), ["node.after a while"])

const worker = connected(new zmq.Dealer({ receiveTimeout: patience }))
await worker.send(["SERVE", "double"])
assert.deepEqual(texts(await worker.receive()), ["OK"])
const work = (async () => {
  for (let done = 0; done < 100; done++) {
    const [verb, call, , body] = await worker.receive()
    assert.equal(String(verb), "CALL")
    await worker.send(["REPLY", call, String(Number(body) * 2)])
  }
})()
for (let number = 0; number < 100; number++) {
  assert.deepEqual(await asked("CALL", "double", "5000", String(number)), ["OK", String(number * 2)])
}
await work
assert.deepEqual(await asked("SET", "key", "value"), ["OK"])
assert.deepEqual(await asked("GET", "key"), ["OK", "value"])
for (const socket of [sub, push, ask, worker]) socket.close()
console.log("passed")
