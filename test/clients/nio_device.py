"""One device of matrix-nio: asked by a line of JSON, it answers each by a line."""
import asyncio
import copy
import json
import os
import sys
import tempfile
import traceback
from uuid import uuid4

from aiohttp import ClientError
from nio import (
    AsyncClient,
    AsyncClientConfig,
    EncryptionError,
    ErrorResponse,
    Event,
    MegolmEvent,
)
from nio.crypto import Olm

CONFIG = AsyncClientConfig(
    encryption_enabled=True,
    store_sync_tokens=True,
    request_timeout=15,
    max_timeout_retry_wait_time=1,
)
FILTER = {"room": {"timeline": {"limit": 100}}}
PAUSE = 0.2
# nio trips over the error that a claim of keys is answered with.
AWAY = (ClientError, asyncio.TimeoutError, TypeError)


create_group_session = Olm.create_group_session


def keep_what_begins_earlier(olm, sender_key, fingerprint, room_id, session_id, key):
    """Others share a key again from where it has come to; nio would forget where it began."""
    if olm.inbound_group_store.get(room_id, sender_key, session_id) is None:
        create_group_session(olm, sender_key, fingerprint, room_id, session_id, key)


Olm.create_group_session = keep_what_begins_earlier


async def insist(ask):
    """Asks again until it is answered: a server may be away. What it refuses ends the command."""
    while True:
        try:
            answer = await ask()
        except AWAY:
            await asyncio.sleep(PAUSE)
            continue
        if not isinstance(answer, ErrorResponse):
            return answer
        if answer.transport_response.status < 500:
            raise RuntimeError(repr(answer))
        await asyncio.sleep(PAUSE)


class Client(AsyncClient):
    async def receive_response(self, response):
        """What nio takes for the end of the session may be a list of devices in its place."""
        if isinstance(response, ErrorResponse):
            response.soft_logout = response.soft_logout is True
        await super().receive_response(response)


class Device:
    def __init__(self, folder):
        self.folder = folder
        self.shown, self.opened, self.closed, self.late = [], {}, {}, 0
        self.changed = asyncio.Condition()
        self.sending = asyncio.Lock()
        self.following_task = None

    def open(self, url, name, device_id=""):
        self.url, self.name = url, name
        self.client = Client(
            url, name, device_id=device_id, store_path=self.folder, config=CONFIG
        )
        self.client.add_event_callback(self.see, Event)

    def see(self, room, event):
        self.shown.append(event.event_id)
        self.sort(event)

    def sort(self, event):
        event_id = event.event_id
        if isinstance(event, MegolmEvent):
            self.closed[event_id] = event
        elif event_id not in self.opened:
            self.late += self.closed.pop(event_id, None) is not None
            self.opened[event_id] = describe(event)

    async def begin_to_follow(self):
        await self.sync()
        self.following_task = asyncio.ensure_future(self.follow())

    async def follow(self):
        """What breaks here is told by the end of the program."""
        try:
            while True:
                await self.sync()
        except Exception:
            traceback.print_exc()
            os._exit(1)

    async def sync(self):
        """One sync with what a nio client does after each."""
        client = self.client
        await insist(lambda: client.sync(timeout=5000, sync_filter=FILTER))
        if client.should_upload_keys:
            await insist(client.keys_upload)
        if client.should_query_keys:
            await insist(client.keys_query)
        if client.should_claim_keys:
            await insist(lambda: client.keys_claim(client.get_users_for_key_claiming()))
        for message in list(client.outgoing_to_device_messages):
            await insist(lambda: client.to_device(message, str(uuid4())))
        self.open_what_was_closed()
        async with self.changed:
            self.changed.notify_all()

    def open_what_was_closed(self):
        """nio tries each event once; its key may come later."""
        for event in list(self.closed.values()):
            try:
                self.sort(self.client.decrypt_event(event))
            except EncryptionError:
                pass

    async def until(self, is_so):
        async with self.changed:
            await self.changed.wait_for(is_so)

    async def register(self, url, name, password):
        self.open(url, name)
        await insist(lambda: self.client.register(name, password))
        await insist(self.client.logout)
        await self.client.close()
        return await self.log_in(url, name, password)

    async def log_in(self, url, name, password, slides=False):
        self.open(url, name)
        answer = await insist(lambda: self.client.login(password, device_name="nio"))
        await self.begin_to_follow()
        return {"user_id": answer.user_id, "device_id": answer.device_id}

    async def leave(self):
        if self.following_task:
            self.following_task.cancel()
        await self.client.close()

    async def come_back(self):
        before = self.client
        self.open(self.url, self.name, before.device_id)
        self.client.restore_login(before.user_id, before.device_id, before.access_token)
        await self.begin_to_follow()

    async def create_room(self, invite, encryption):
        state = [{"type": "m.room.encryption", "state_key": "", "content": encryption}]
        ask = lambda: self.client.room_create(invite=invite, initial_state=state)
        return (await insist(ask)).room_id

    async def join(self, room_id):
        await self.until(lambda: room_id in self.client.invited_rooms)
        await insist(lambda: self.client.join(room_id))

    async def meet(self, room_id, user_ids):
        def is_so():
            room = self.client.rooms.get(room_id)
            return room and room.encrypted and set(user_ids) <= set(room.users)

        await self.until(is_so)

    def devices_of(self, user_id):
        return {device.id for device in self.client.device_store.active_user_devices(user_id)}

    async def know(self, devices):
        """nio does not count its own device among those that it knows."""
        wanted = {user_id: {*ids} - {self.client.device_id} for user_id, ids in devices.items()}
        await self.until(
            lambda: all(self.devices_of(user_id) == ids for user_id, ids in wanted.items())
        )

    async def trust(self, user_id, device_id):
        self.client.verify_device(self.client.device_store[user_id][device_id])

    async def send(self, room_id, type, content, txn_id=None):
        txn_id = txn_id or str(uuid4())
        async with self.sending:
            await self.until(lambda: not self.client.should_query_keys)
            await self.share_key(room_id)
            ask = lambda: self.client.room_send(
                room_id, type, copy.deepcopy(content), tx_id=txn_id, ignore_unverified_devices=True
            )
            return (await insist(ask)).event_id

    async def share_key(self, room_id):
        """nio takes a key for shared where the server refused it too; here it is when all have it."""
        client, olm = self.client, self.client.olm
        while olm.should_share_group_session(room_id) or not self.is_shared_with_all(room_id):
            missing = client.get_missing_sessions(room_id)
            if missing:
                await insist(lambda: client.keys_claim(missing))
            try:
                await client.share_group_session(room_id, ignore_unverified_devices=True)
            except AWAY:
                client.sharing_session.pop(room_id, None)
            if not self.is_shared_with_all(room_id):
                await asyncio.sleep(PAUSE)

    def is_shared_with_all(self, room_id):
        session = self.client.olm.outbound_group_sessions.get(room_id)
        users = self.client.rooms[room_id].users
        wanted = {(user_id, device_id) for user_id in users for device_id in self.devices_of(user_id)}
        return session and wanted - session.users_ignored <= session.users_shared_with

    async def hear(self, event_id):
        await self.until(lambda: event_id in self.opened)
        return self.opened[event_id]

    async def miss(self, event_id):
        await self.until(lambda: event_id in self.closed)

    async def request_keys(self):
        sessions = {event.session_id: event for event in self.closed.values()}
        client = self.client
        for event in sessions.values():
            if event.session_id not in client.outgoing_key_requests:
                await insist(lambda: client.request_room_key(event, str(uuid4())))
                continue
            message = event.as_key_request(client.user_id, client.device_id, str(uuid4()))
            await insist(lambda: client.to_device(message, str(uuid4())))
        return len(sessions)

    async def read(self, room_id):
        """All that was said in the room, opened with the keys that are there now."""
        start, events = self.client.next_batch, []
        while start:
            page = await insist(lambda: self.client.room_messages(room_id, start, limit=100))
            events += page.chunk
            start = page.end if page.chunk else None
        events.reverse()
        is_closed = lambda event: isinstance(event, MegolmEvent)
        return {
            "opened": [describe(event) for event in events if not is_closed(event)],
            "closed": {event.event_id: event.session_id for event in events if is_closed(event)},
        }

    async def following(self):
        closed = {event_id: event.session_id for event_id, event in self.closed.items()}
        return {"shown": self.shown, "late": self.late, "closed": closed}


def describe(event):
    return {
        "event_id": event.event_id,
        "sender": event.sender,
        "type": event.source.get("type"),
        "content": event.source.get("content"),
    }


COMMANDS = (
    "register log_in leave come_back create_room join meet know trust send hear miss "
    "request_keys read following"
).split()


async def answer(device, line):
    request = json.loads(line)
    told = {"id": request["id"]}
    try:
        if request["command"] not in COMMANDS:
            raise ValueError(request["command"])
        told["answer"] = await getattr(device, request["command"])(**request["args"])
    except Exception:
        told["error"] = traceback.format_exc()
    print(json.dumps(told), flush=True)


async def main(folder):
    device, tasks = Device(folder), set()
    lines = asyncio.StreamReader(limit=2**20)
    protocol = asyncio.StreamReaderProtocol(lines)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await lines.readline():
        task = asyncio.ensure_future(answer(device, line))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    if device.following_task:
        device.following_task.cancel()
    await device.client.close()


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(folder))
