"""What others call the things that are here: names of other libraries, and of whoever guesses, and what to use for them."""

_KEYWORDS = {
    "max_peers": "max_players max_clients max_connections max_users players",
    "max_message": "max_size max_message_size max_length buffer_size bufsize",
    "max_peers_per_address": "max_per_ip max_connections_per_ip",
    "credentials": "password token auth name username user login",
    "authenticate": "auth on_auth check_password password",
    "ping_interval": "heartbeat heartbeat_interval ping keepalive keep_alive",
    "timeout": "idle_timeout time_out timeout_seconds connect_timeout",
    "close_timeout": "shutdown_timeout",
    "tls": "ssl ssl_context context secure certfile",
    "web": "websocket websockets http browser html page",
    "messages": "message_type message_types schema types",
    "game": "name app app_name title",
    "version": "game_version app_version",
    "resume": "reconnect auto_reconnect retry",
    "grace": "reconnect_timeout grace_period",
    "patience": "wait retry_for retries wait_for_server connect_patience",
    "ticket": "session session_id resume_token reconnect_token seat",
    "host": "address addr ip hostname server",
}
MEANT = [(name, other) for name, others in _KEYWORDS.items() for other in others.split()]

ONLY = {
    "Client": "addresses credentials patience resume ticket",
    "Server": "announce authenticate grace max_peers max_peers_per_address max_pending status web",
}
"""What one of the two takes and the other does not."""

CALLBACKS = (
    "on on_connect on_connected on_join on_joined on_message on_receive on_received on_data on_event on_disconnect "
    "on_disconnected on_leave on_left on_close on_closed on_open on_error on_client_connected on_client_disconnected"
)
NO_KEYWORDS = {
    "tickrate tick_rate tickrate_hz rate fps hz": "the rate is what its ticks() takes",
    CALLBACKS: "no callbacks: what happens comes as events()",
}

INSTEAD = {
    "Snapshots": {
        "delay lag latency buffer interpolation_delay": "how late it is shown is what one asks for: "
        "snapshots.at(snapshots.now() - 0.1)",
    },
    "Overlay": {
        "color colour font background x y pos position": "it looks the same in every game; overlay.lines() is what it "
        "shows, for a game that draws by itself",
    },
    "join": {"host port": "host and port are one pair: join((host, port), game)"},
}
"""What to say of keywords that one of ours does otherwise."""

EXAMPLES = {
    "Client": 'Client("localhost", 7777)',
    "Listener": 'Listener("", 7777)',
    "Overlay": "Overlay(client)",
    "Server": 'Server("", 7777)',
    "Snapshots": "Snapshots(20)",
    "connect": 'connect("localhost", 7777)',
    "join": 'join(("localhost", 7777), "Pig")',
    "sync.connect": 'sync.connect("localhost", 7777)',
    "tables": 'tables(("localhost", 7777))',
}
"""How what cannot do without arguments is called."""

CLOSE = 0.7
"""How alike a name must be, of 1.0, to be taken for a slip of the keys."""

_EVENTS = "events: for event in {}.events()"
_DATA = "what belongs to a player is yours to keep in peer.data"
_SAY = "peer.send(message)"

PEER = {
    "name nick nickname username user player score team color colour position pos x y ready health lives": _DATA,
    "ip host port addr remote_address": "the other end is at peer.address, with host and port",
    "disconnect kick drop quit leave stop shutdown": 'peer.close_nicely("why"), or peer.close() at once',
    "recv receive read message messages": "messages come as " + _EVENTS.format("server"),
    "ping latency lag": "the round-trip time in seconds is peer.rtt",
    "connected is_connected is_alive": "peer.alive until Left, and peer.away while its link is down",
    "peer_id player_id client_id uid uuid": "its number is peer.id",
    "emit write sendall send_json send_message": _SAY,
    "broadcast": "server.broadcast(message) goes to everybody",
    "update": "server.update() is for all of them",
    "redirect transfer send_to migrate": 'peer.move("play2.example.org:7777") sends a player to another server',
}
SERVER = {
    "send send_to send_all sendall emit": f"server.broadcast(message) goes to everybody, {_SAY} to one",
    "clients players connections users sessions": "the players are server.peers",
    "recv receive read message messages poll get_events event": "what happens comes as " + _EVENTS.format("server"),
    CALLBACKS: "no callbacks: " + _EVENTS.format("server"),
    "accept": "who comes is let in by update(), and told as a Joined event",
    "run start listen serve serve_forever loop mainloop tick": "for tick in server.ticks(30)",
    "disconnect kick": 'peer.close_nicely("why") for one, server.close_nicely("why") for all',
    "stop shutdown quit": 'server.close_nicely("why"), and go on updating until it is DISCONNECTED',
    "host port": "the server is at server.address, with host and port",
    "running is_running": "server.state is netcode.State.CONNECTED",
}
CLIENT = {
    "disconnect quit leave stop shutdown": 'client.close_nicely("why"), and go on updating until it is DISCONNECTED',
    "recv receive read message messages poll get_events event": "what happens comes as " + _EVENTS.format("client"),
    CALLBACKS: "no callbacks: " + _EVENTS.format("client"),
    "connect start": "it connects from its construction on, while client.update() is called once a frame; "
    "after Left it is over for good: make a new netcode.Client",
    "reconnect rejoin restart": "a broken link comes back by itself; after Left it is over for good: make a new "
    "netcode.Client",
    "run loop mainloop tick": "for tick in client.ticks(60)",
    "connected is_connected alive": "client.state is netcode.State.CONNECTED",
    "ping latency lag": "the round-trip time in seconds is client.rtt",
    "error": "why it is over is client.reason",
    "server": "the server is client.peer",
    "host port": "the server is at client.address, with host and port",
    "emit write sendall send_json send_message": "client.send(message)",
    "broadcast peers clients players": "a client knows its server alone: send it a message, and have it broadcast",
    "data name username": "the server's peer.data is where it keeps what it knows of a player: send it a message",
}
CONNECTION = {
    "recv read": "connection.receive(length), or connection.receive_all()",
    "write sendall": "connection.send(bytes)",
    "disconnect shutdown quit stop": "connection.close_nicely(), or connection.close() at once",
    "connected is_connected": "connection.state is netcode.State.CONNECTED",
    "address host port ip peer": "the other end is at connection.remote_address",
    "error": "why it is over is connection.reason",
    "events messages rtt": "a connection carries bytes; messages and events are what netcode.Client has",
}
SEAT = {
    "send emit write sendall send_json send_message broadcast": 'table.play("mark", cell=4) makes a move, and '
    "table.say(text) talks to the others",
    "chat talk": "table.say(text)",
    "move make_move do act": 'table.play("mark", cell=4), with the name of a move of the rules; table.legal has those '
    "that may be made",
    "board state game": "what we see of the game is table.view",
    "turn is_my_turn current_player": "table.my_turn, and table.to_move has the seats that are to move",
    "legal_moves moves actions": "table.legal",
    "winner winners": "table.result, once table.over",
    "quit disconnect close_nicely resign": "table.leave() gives the seat up; table.close() ends the link, and keeps it",
    "ticks run loop": "call table.update() once a frame, or table.wait() where nothing is drawn",
    "peer peers server": "the others are table.names; the server is at table.address",
    "id number_of_seat": "table.seat",
    CALLBACKS: "no callbacks: " + _EVENTS.format("table"),
}
NAMES = {
    "Connected Connect OnConnect Join Ready Welcome": "Joined",
    "Disconnected Disconnect Leave Closed Quit OnDisconnect": "Left",
    "Message Data Receive OnMessage Packet": "Received",
    "Lost ConnectionLost Dropped": "Away",
    "Reconnected Resumed Returned": "Back",
    "Host Listen": "Server",
}
"""What there is in the package, for names that others have for it."""
ENDING = {"text code error": "why it happened is event.reason, with its text and its code"}
EVENT = {
    "type kind name event event_type": "tell events apart with match: case netcode.Received(peer, message)",
    "client player sender source user connection id": "who it is about is event.peer",
    "data text msg payload content body": "what was sent is event.message, of a Received",
    "message": "only a Received has a message: case netcode.Received(peer, message)",
    "reason error": "only Left and Away have a reason: case netcode.Left(peer, reason)",
}
