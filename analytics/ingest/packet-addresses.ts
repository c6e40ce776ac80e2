/** One address of a packet, as the words and the hash that the dictionaries use; the object is reused. */
import { mappedWord } from "./host-table.ts";
import type { HostTable } from "./host-table.ts";

export class PacketAddresses {
  hash = 0;
  readonly #hosts: HostTable;
  #word0 = 0;
  #word1 = 0;
  #word2 = 0;
  #word3 = 0;

  constructor(hosts: HostTable) {
    this.#hosts = hosts;
  }

  /** The source of the IP packet at `network`, whose fixed header is in the buffer. */
  readSource(view: DataView, network: number, version: number): void {
    this.#read(view, version === 4 ? network + 12 : network + 8, version);
  }

  readDestination(view: DataView, network: number, version: number): void {
    this.#read(view, version === 4 ? network + 16 : network + 24, version);
  }

  /** Local id of the address, `none` if it has none. */
  find(): number {
    return this.#hosts.find(this.hash, this.#word0, this.#word1, this.#word2, this.#word3);
  }

  intern(): number {
    return this.#hosts.intern(this.hash, this.#word0, this.#word1, this.#word2, this.#word3);
  }

  #read(view: DataView, at: number, version: number): void {
    if (version === 4) {
      this.#word0 = 0;
      this.#word1 = 0;
      this.#word2 = mappedWord;
      this.#word3 = view.getUint32(at);
    } else {
      this.#word0 = view.getUint32(at);
      this.#word1 = view.getUint32(at + 4);
      this.#word2 = view.getUint32(at + 8);
      this.#word3 = view.getUint32(at + 12);
    }
    this.hash = this.#hosts.hash(this.#word0, this.#word1, this.#word2, this.#word3);
  }
}
