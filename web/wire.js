// SPDX-License-Identifier: BSD-2-Clause
// Packets as bytes: Ethernet, ARP, IPv4, ICMP echo and UDP. Nothing here has a state but Reassembly.

export const ETHERTYPE = { IPV4: 0x0800, ARP: 0x0806 };
export const PROTOCOL = { ICMP: 1, UDP: 17 };
export const ARP = { REQUEST: 1, REPLY: 2 };
export const ICMP = { ECHO_REPLY: 0, ECHO: 8 };
export const BROADCAST = [255, 255, 255, 255, 255, 255];

const ETHERNET_HEADER = 14;
const IPV4_HEADER = 20;
const MORE_FRAGMENTS = 0x2000;
const FRAGMENT_OFFSET = 0x1fff; // in units of 8 bytes

const word = value => [value >> 8 & 0xff, value & 0xff];
const wordAt = (bytes, at) => bytes[at] << 8 | bytes[at + 1];

// The Internet checksum (RFC 1071). It is 0 for what contains its own checksum.
function checksum(...parts) {
    let sum = 0;
    for (const part of parts) {
        for (let i = 0; i < part.length; i += 2) {
            sum += part[i] << 8 | (part[i + 1] ?? 0);
        }
    }
    while (sum > 0xffff) {
        sum = (sum & 0xffff) + (sum >>> 16);
    }
    return ~sum & 0xffff;
}

function withChecksum(bytes, at, before = []) {
    bytes.set(word(checksum(before, bytes)), at);
    return bytes;
}

export function ethernet(destination, source, type, payload) {
    return Uint8Array.of(...destination, ...source, ...word(type), ...payload);
}

export function arp(operation, senderMac, sender, targetMac, target) {
    return [0, 1, ...word(ETHERTYPE.IPV4), 6, 4, ...word(operation), ...senderMac, ...sender,
            ...targetMac, ...target];
}

export function ipv4(source, destination, protocol, payload) {
    const header = Uint8Array.of(0x45, 0, ...word(IPV4_HEADER + payload.length), 0, 0, 0, 0, 64,
                                 protocol, 0, 0, ...source, ...destination);
    return [...withChecksum(header, 10), ...payload];
}

export function icmpEcho(type, identifier, sequence, data) {
    return withChecksum(Uint8Array.of(type, 0, 0, 0, ...word(identifier), ...word(sequence),
                                      ...data), 2);
}

// A checksum of 0 says that there is none (RFC 768).
export function udp(source, destination, data) {
    return [...word(source), ...word(destination), ...word(8 + data.length), 0, 0, ...data];
}

// Each of these returns null for what is malformed.

export function parseEthernet(frame) {
    return frame.length < ETHERNET_HEADER ? null : {
        source: [...frame.subarray(6, 12)],
        type: wordAt(frame, 12),
        payload: frame.subarray(ETHERNET_HEADER),
    };
}

export function parseArp(bytes) {
    return bytes.length < 28 || wordAt(bytes, 2) !== ETHERTYPE.IPV4 ? null : {
        operation: wordAt(bytes, 6),
        senderMac: [...bytes.subarray(8, 14)],
        sender: [...bytes.subarray(14, 18)],
        target: [...bytes.subarray(24, 28)],
    };
}

export function parseIpv4(bytes) {
    const headerLength = (bytes[0] & 15) * 4;
    const length = wordAt(bytes, 2);
    if (bytes.length < IPV4_HEADER || bytes[0] >> 4 !== 4 || headerLength < IPV4_HEADER ||
        length < headerLength || length > bytes.length ||
        checksum(bytes.subarray(0, headerLength)) !== 0) {
        return null;
    }
    const fragment = wordAt(bytes, 6);
    return {
        identification: wordAt(bytes, 4),
        more: (fragment & MORE_FRAGMENTS) !== 0,
        offset: (fragment & FRAGMENT_OFFSET) * 8,
        protocol: bytes[9],
        source: [...bytes.subarray(12, 16)],
        destination: [...bytes.subarray(16, 20)],
        payload: bytes.subarray(headerLength, length),
    };
}

export function parseIcmpEcho(bytes) {
    return bytes.length < 8 || checksum(bytes) !== 0 ? null : {
        type: bytes[0],
        identifier: wordAt(bytes, 4),
        sequence: wordAt(bytes, 6),
        data: bytes.subarray(8),
    };
}

export function parseUdp(packet) {
    const bytes = packet.payload;
    const length = bytes.length < 8 ? 0 : wordAt(bytes, 4);
    const pseudoHeader = [...packet.source, ...packet.destination, 0, PROTOCOL.UDP, ...word(length)];
    if (length < 8 || length > bytes.length ||
        wordAt(bytes, 6) !== 0 && checksum(pseudoHeader, bytes.subarray(0, length)) !== 0) {
        return null;
    }
    return { source: wordAt(bytes, 0), destination: wordAt(bytes, 2),
             data: bytes.subarray(8, length) };
}

// Puts fragments together that come in any order. There is one packet at a time: the fragments of another
// one take the place of those that are there.
export class Reassembly {
    #identification = null;
    #fragments = [];

    // A whole packet, or null as long as fragments are missing.
    add(packet) {
        if (!packet.more && packet.offset === 0) {
            return packet;
        }
        if (packet.identification !== this.#identification) {
            this.#identification = packet.identification;
            this.#fragments = [];
        }
        this.#fragments.push({ ...packet, payload: packet.payload.slice() });
        this.#fragments.sort((a, b) => a.offset - b.offset);

        let length = 0;
        for (const { offset, payload } of this.#fragments) {
            if (offset !== length) {
                return null;
            }
            length += payload.length;
        }
        if (this.#fragments.at(-1).more) {
            return null;
        }
        const payload = new Uint8Array(length);
        for (const fragment of this.#fragments) {
            payload.set(fragment.payload, fragment.offset);
        }
        this.#identification = null;
        return { ...packet, offset: 0, more: false, payload };
    }
}
