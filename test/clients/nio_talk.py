"""Two people talk through matrix-nio in an encrypted room; prints what they saw as JSON.

Usage: nio_talk.py FOLDER ALICE_URL BOB_URL SUFFIX
"""
import asyncio
import json
import sys

from nio import AsyncClient, AsyncClientConfig, MegolmEvent, RoomMessageText

FOLDER, ALICE_URL, BOB_URL, SUFFIX = sys.argv[1:]
PASSWORD = "a password of nio"


def check(answer):
    """Errors of nio are answers; here they end the run."""
    if type(answer).__name__.endswith("Error"):
        raise RuntimeError(repr(answer))
    return answer


class Person:
    def __init__(self, url, name):
        self.url, self.name = url, f"{name}-{SUFFIX}"
        self.seen, self.undecryptable = [], []
        self.open()

    def open(self, device_id=""):
        config = AsyncClientConfig(encryption_enabled=True, store_sync_tokens=True)
        self.client = AsyncClient(
            self.url, self.name, device_id=device_id, store_path=FOLDER, config=config
        )
        self.client.add_event_callback(
            lambda room, event: self.seen.append([event.event_id, event.sender, event.body]),
            RoomMessageText,
        )
        self.client.add_event_callback(
            lambda room, event: self.undecryptable.append(event.event_id), MegolmEvent
        )

    async def login(self):
        await self.client.register(self.name, PASSWORD)
        await self.client.logout()
        self.answer = check(await self.client.login(PASSWORD, device_name="nio"))

    async def sync(self):
        """One sync with what a nio client does after each."""
        check(await self.client.sync(timeout=1000))
        if self.client.should_upload_keys:
            check(await self.client.keys_upload())
        if self.client.should_query_keys:
            check(await self.client.keys_query())
        await self.client.send_to_device_messages()

    async def sync_until(self, is_done):
        for _ in range(30):
            if is_done():
                return
            await self.sync()
        raise RuntimeError(f"{self.name} never saw it; saw {self.seen}")

    async def say(self, room_id, body):
        content = {"msgtype": "m.text", "body": body}
        answer = await self.client.room_send(
            room_id, "m.room.message", content, ignore_unverified_devices=True
        )
        return check(answer).event_id

    async def leave_and_return(self):
        """The program ends and is started again with what it stored."""
        user_id, token = self.client.user_id, self.client.access_token
        device_id = self.client.device_id
        await self.client.close()
        yield
        self.open(device_id)
        self.client.restore_login(user_id, device_id, token)


async def main():
    alice, bob = Person(ALICE_URL, "alice"), Person(BOB_URL, "bob")
    for person in (alice, bob):
        await person.login()
        await person.sync()
    created = check(
        await alice.client.room_create(
            invite=[bob.client.user_id],
            initial_state=[
                {
                    "type": "m.room.encryption",
                    "state_key": "",
                    "content": {"algorithm": "m.megolm.v1.aes-sha2"},
                }
            ],
        )
    )
    room_id = created.room_id
    await bob.sync_until(lambda: room_id in bob.client.invited_rooms)
    check(await bob.client.join(room_id))
    await bob.sync_until(lambda: room_id in bob.client.rooms)
    await alice.sync_until(
        lambda: room_id in alice.client.rooms
        and bob.client.user_id in alice.client.rooms[room_id].users
    )

    sent = [await alice.say(room_id, "hello bob")]
    await bob.sync_until(lambda: len(bob.seen) == 1)
    sent.append(await bob.say(room_id, "hello alice"))
    await alice.sync_until(lambda: len(alice.seen) == 2)

    async for _ in bob.leave_and_return():
        for number in range(3):
            sent.append(await alice.say(room_id, f"while away {number}"))
    await bob.sync_until(lambda: len(bob.seen) >= 5)
    await bob.sync()
    await alice.sync_until(lambda: len(alice.seen) >= 5)

    print(
        json.dumps(
            {
                "login": {"user_id": alice.answer.user_id},
                "sent": sent,
                "alice": alice.seen,
                "bob": bob.seen,
                "undecryptable": alice.undecryptable + bob.undecryptable,
            }
        )
    )
    for person in (alice, bob):
        await person.client.close()


asyncio.run(asyncio.wait_for(main(), 60))
