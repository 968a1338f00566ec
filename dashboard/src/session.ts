// Who is looking: told by the arbiter, kept for the pages.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Role } from "./api";

export const Session = createContext<Role>(null);
export const useRole = (): Role => useContext(Session);
