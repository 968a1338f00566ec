// Redlock and BullMQ over the hub: both are made of Lua scripts.

import assert from "node:assert";
import { peer, run } from "./cases.mjs";

const Redlock = (await peer("redlock")).default;
const { Redis } = await peer("ioredis");
const { Queue, QueueEvents, Worker, FlowProducer } = await peer("bullmq");
const URL = process.env.REDIS_URL;
const connection = () => new Redis(URL, { maxRetriesPerRequest: null });

await run({
    "redlock: one holds it, it can be held longer, it ends": async () => {
        const redlock = new Redlock([connection()], { retryCount: 0 });
        const lock = await redlock.lock("door", 1000);
        await assert.rejects(redlock.lock("door", 1000));
        const longer = await lock.extend(2000);
        await longer.unlock();
        const short = await redlock.lock("door", 50);
        await new Promise((go) => setTimeout(go, 100));
        await (await redlock.lock("door", 1000)).unlock();
        await assert.rejects(short.unlock());
    },
    "redlock: two never hold it at once": async () => {
        const redlock = new Redlock([connection()], { retryCount: 500, retryDelay: 5, retryJitter: 5 });
        let inside = 0;
        await Promise.all(
            Array.from({ length: 20 }, async () => {
                const lock = await redlock.lock("room", 5000);
                assert.equal(++inside, 1);
                await new Promise((go) => setTimeout(go, 2));
                inside--;
                await lock.unlock();
            }),
        );
    },
    "bullmq: jobs, delays, priorities, failures, flows": async () => {
        const queue = new Queue("work", { connection: connection() });
        const events = new QueueEvents("work", { connection: connection() });
        await events.waitUntilReady();
        let failures = 0;
        const worker = new Worker(
            "work",
            async (job) => {
                if (job.name === "flaky" && failures++ < 2) throw new Error("not yet");
                await job.updateProgress(50);
                return job.data.n * 2;
            },
            { connection: connection(), concurrency: 4 },
        );
        const jobs = await queue.addBulk(Array.from({ length: 30 }, (_, n) => ({ name: "double", data: { n } })));
        const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(events, 10_000)));
        assert.deepEqual(results, Array.from({ length: 30 }, (_, n) => n * 2));
        const late = await queue.add("double", { n: 4 }, { delay: 100, priority: 3 });
        assert.equal(await late.waitUntilFinished(events, 10_000), 8);
        const flaky = await queue.add("flaky", { n: 5 }, { attempts: 3, backoff: { type: "fixed", delay: 10 } });
        assert.equal(await flaky.waitUntilFinished(events, 10_000), 10);
        const flows = new FlowProducer({ connection: connection() });
        const flow = await flows.add({ name: "parent", queueName: "work", data: { n: 1 }, children: [{ name: "child", queueName: "work", data: { n: 2 } }] });
        assert.equal(await flow.job.waitUntilFinished(events, 10_000), 2);
        const counts = await queue.getJobCounts("completed", "failed", "waiting");
        assert.equal(counts.completed, 34);
        assert.equal(counts.failed, 0);
        await worker.close(true);
        await queue.obliterate({ force: true });
    },
});
