// Visits as they happen, on whichever server of the herd; and how the connection is.

/** Calls `hear` for each visit and `begin` each time that the connection is there anew. */
export function visits(hear, begin) {
  const status = document.getElementById("status");
  const say = (state, text) => {
    status.dataset.state = state;
    status.textContent = text;
  };
  // Comes back by itself, whatever ended the connection.
  const socket = io({ reconnectionDelay: 500, reconnectionDelayMax: 2000 });
  socket.on("connect", () => {
    say("connected", "Connected");
    begin();
  });
  socket.on("disconnect", (reason) => {
    say("disconnected", "Disconnected");
    if (reason === "io server disconnect") socket.connect();
  });
  socket.io.on("reconnect_attempt", () => say("connecting", "Connecting…"));
  socket.io.on("reconnect_error", () => say("disconnected", "Disconnected"));
  socket.on("visit", hear);
}
