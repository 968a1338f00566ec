// Runs the cases of a script one after the other; the first that fails, or takes too long, ends it.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const CASE_MAX_MS = 20_000;
const require = createRequire(`${process.env.HUB_PEERS}/package.json`);

// A package from the folder of the peers.
export async function peer(name) {
    const found = await import(pathToFileURL(require.resolve(name)));
    return { ...found.default, ...found };
}

export async function run(cases) {
    for (const [name, work] of Object.entries(cases)) {
        console.log(name);
        const limit = setTimeout(() => {
            console.error(`${name}: took too long`);
            process.exit(1);
        }, CASE_MAX_MS);
        try {
            await work();
        } catch (error) {
            console.error(name, error);
            process.exit(1);
        }
        clearTimeout(limit);
    }
    console.log("done", Object.keys(cases).length);
    process.exit(0);
}
