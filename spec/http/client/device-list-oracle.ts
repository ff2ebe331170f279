interface Stay {
  userId: string;
  roomId: string;
  from: number;
  to: number;
}

/** Who was where when, and whose keys changed when; time is counted in what happened. */
export class DeviceListOracle {
  time = 0;
  readonly #stays: Stay[] = [];
  readonly #changes: { userId: string; time: number }[] = [];

  join(userId: string, roomId: string): void {
    this.time += 1;
    if (this.isIn(userId, roomId)) return;
    this.#stays.push({ userId, roomId, from: this.time, to: Infinity });
  }

  leave(userId: string, roomId: string): void {
    this.time += 1;
    for (const stay of this.#staysOf(userId, this.time))
      if (stay.roomId === roomId) stay.to = this.time;
  }

  changeKeys(userId: string): void {
    this.time += 1;
    this.#changes.push({ userId, time: this.time });
  }

  isIn(userId: string, roomId: string): boolean {
    return this.#staysOf(userId, this.time).some(
      (stay) => stay.roomId === roomId,
    );
  }

  /** What the viewer has to be told after `from`, up to `to`. */
  between(
    viewer: string,
    users: readonly { userId: string }[],
    from: number,
    to: number,
  ): { changed: string[]; left: string[] } {
    const ids = users.map(({ userId }) => userId).sort();
    if (to <= from) return { changed: [], left: [] };
    const hasNewKeys = (userId: string) =>
      this.#changes.some(
        (change) =>
          change.userId === userId && change.time > from && change.time <= to,
      );
    return {
      changed: ids.filter((userId) =>
        userId === viewer
          ? hasNewKeys(userId)
          : this.#isShared(viewer, userId, to) &&
            (hasNewKeys(userId) || !this.#isShared(viewer, userId, from)),
      ),
      left: ids.filter(
        (userId) =>
          userId !== viewer &&
          this.#isShared(viewer, userId, from) &&
          !this.#isShared(viewer, userId, to),
      ),
    };
  }

  #staysOf(userId: string, time: number): Stay[] {
    return this.#stays.filter(
      (stay) => stay.userId === userId && stay.from <= time && stay.to > time,
    );
  }

  #isShared(a: string, b: string, time: number): boolean {
    const rooms = this.#staysOf(b, time).map(({ roomId }) => roomId);
    return this.#staysOf(a, time).some(({ roomId }) => rooms.includes(roomId));
  }
}
