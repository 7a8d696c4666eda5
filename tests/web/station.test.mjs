// SPDX-License-Identifier: BSD-2-Clause
// The page's station against another one, and against packets that are not as they should be.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Station } from "../../web/station.js";
import { ETHERTYPE, PROTOCOL, Reassembly, ethernet, icmpEcho, ipv4, parseEthernet, parseIcmpEcho,
         parseIpv4, parseUdp, udp } from "../../web/wire.js";

const A = { mac: [2, 0, 0, 0, 0, 1], address: [10, 0, 0, 1] };
const B = { mac: [2, 0, 0, 0, 0, 2], address: [10, 0, 0, 2] };

// Two stations on a wire; lost(frame) says which frames are lost.
function wire(lost = () => false) {
    const frames = [];
    const put = target => frame => {
        frames.push(frame);
        if (!lost(frame)) {
            queueMicrotask(() => target().receive(frame));
        }
    };
    const a = new Station(A.mac, A.address, put(() => b));
    const b = new Station(B.mac, B.address, put(() => a));
    return { a, b, frames };
}

const packet = bytes => parseIpv4(Uint8Array.from(bytes));

test("a ping is answered, after one ARP request", async () => {
    const { a, frames } = wire();
    assert.ok(await a.ping(B.address) >= 0);
    assert.ok(await a.ping(B.address) >= 0);
    const types = frames.map(frame => parseEthernet(frame).type);
    assert.deepEqual(types, [ETHERTYPE.ARP, ETHERTYPE.ARP, ...Array(4).fill(ETHERTYPE.IPV4)]);
    assert.deepEqual([...frames[0].subarray(0, 14)],
                     [255, 255, 255, 255, 255, 255, ...A.mac, 8, 6]);
});

test("without an answer the result is null", async () => {
    const { a, frames } = wire(frame => parseEthernet(frame).type === ETHERTYPE.IPV4);
    assert.equal(await a.ping(B.address, 20), null);
    assert.equal(await a.ask(B.address, 81, [], 20), null);
    assert.equal(await a.ping([10, 0, 0, 3], 20), null);
    assert.equal(frames.filter(frame => frame[13] === 6).length, 3); // nobody answered the last one
});

test("bytes of an echo request", () => {
    assert.deepEqual([...icmpEcho(8, 0x1234, 1, [0xab])],
                     [8, 0, 0x3a, 0xca, 0x12, 0x34, 0, 1, 0xab]);
});

test("a wrong checksum or length is not taken", () => {
    const good = ipv4(A.address, B.address, PROTOCOL.ICMP, icmpEcho(8, 1, 2, [3, 4]));
    assert.equal(parseIcmpEcho(packet(good).payload).sequence, 2);
    for (let at = 0; at < good.length; at++) {
        const bad = Uint8Array.from(good);
        bad[at] ^= 0x10;
        assert.equal(parseIpv4(bad) && parseIcmpEcho(parseIpv4(bad).payload), null, `byte ${at}`);
        assert.equal(parseIpv4(bad.subarray(0, at)), null, `${at} bytes`);
    }
    assert.equal(parseEthernet(new Uint8Array(13)), null);
});

test("UDP with a checksum, a wrong one, and without", () => {
    const datagram = packet(ipv4(A.address, B.address, PROTOCOL.UDP, udp(7, 9, [1])));
    assert.deepEqual([...parseUdp(datagram).data], [1]);
    datagram.payload[7] = 1;
    assert.equal(parseUdp(datagram), null);
    datagram.payload.set([0xea, 0xc9], 6);
    assert.deepEqual([...parseUdp(datagram).data], [1]);
    assert.equal(parseUdp({ ...datagram, payload: datagram.payload.subarray(0, 8) }), null);
});

test("fragments in any order are put together, unless one is missing", () => {
    const part = (identification, offset, more, length) => ({
        identification, offset, more, protocol: PROTOCOL.UDP,
        payload: new Uint8Array(length).fill(offset) });
    const parts = [part(1, 0, true, 8), part(1, 8, true, 16), part(1, 24, false, 3)];
    for (const order of [[0, 1, 2], [2, 1, 0], [1, 2, 0]]) {
        const reassembly = new Reassembly();
        const results = order.map(index => reassembly.add(parts[index]));
        assert.deepEqual(results.slice(0, 2), [null, null]);
        assert.deepEqual([...results[2].payload],
                         [...Array(8).fill(0), ...Array(16).fill(8), ...Array(3).fill(24)]);
    }
    const reassembly = new Reassembly();
    assert.equal(reassembly.add(parts[0]), null);
    assert.equal(reassembly.add(part(2, 24, false, 3)), null);
    assert.equal(reassembly.add(parts[1]), null);
});

test("frames of other kinds are ignored", () => {
    const { a, frames } = wire();
    a.receive(ethernet(A.mac, B.mac, 0x86dd, new Uint8Array(60)));
    a.receive(ethernet(A.mac, B.mac, ETHERTYPE.ARP, [0, 1]));
    a.receive(ethernet(A.mac, B.mac, ETHERTYPE.IPV4, []));
    assert.equal(frames.length, 0);
});
