// Announces events to screen readers: as a few sentences, or as counts if many events come at once.
import { sentence } from "./events.js";
import { brief, count } from "./format.js";

const wait = 1000; // milliseconds for which events are collected
const most = 3; // sentences in one announcement

export class Announcer {
  #events = [];

  constructor(place) {
    this.place = place;
  }

  add(e) {
    if (!this.#events.length) setTimeout(() => this.#speak(), wait);
    this.#events.push(e);
  }

  #speak() {
    const events = this.#events;
    this.#events = [];
    const deaths = events.filter((e) => e.event === "death").length;
    this.place.textContent = events.length <= most
      ? events.map((e) => brief(sentence(e), 120)).join(". ")
      : `${count(deaths, "member")} died; ${count(events.length - deaths, "other event")}`;
  }
}
