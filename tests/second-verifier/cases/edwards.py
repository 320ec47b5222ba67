"""The curve of Ed25519 against published points and its own equation."""

from countersign_verifier import edwards

from .results import check

# The base point of RFC 8032 5.1, and twice the base point.
BASE = "58" + "66" * 31
TWICE = "c9a3f86aae465f0e56513864510f3997561fa2c9e85ea21dc2292309f3cd6022"
# Public keys of RFC 8032 7.1, tests 1 to 3.
RFC_8032 = (
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
)
ORDER_8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
NO_POINT = "02" + "00" * 31  # y = 2 has no x on the curve


def on_curve(point):
    x, y = point
    left = (y * y - x * x) % edwards.P
    return left == (1 + edwards.D * x * x % edwards.P * y * y) % edwards.P


def curve():
    for encoded in RFC_8032 + (BASE, TWICE, ORDER_8):
        point = edwards.decode(bytes.fromhex(encoded))
        check(point is not None and on_curve(point), "edwards: %s is on the curve" % encoded)
        check(edwards.encode(point).hex() == encoded, "edwards: %s is canonical" % encoded)
    base = edwards.decode(bytes.fromhex(BASE))
    check(base[1] == 4 * edwards.inverse(5) % edwards.P, "edwards: y of the base point is 4/5")
    check(edwards.encode(edwards.double(base)).hex() == TWICE, "edwards: twice the base point")
    for encoded in RFC_8032 + (BASE,):
        check(edwards.public_key_ok(bytes.fromhex(encoded)), "edwards: key %s" % encoded)
    small = edwards.decode(bytes.fromhex(ORDER_8))
    check(edwards.has_small_order(small), "edwards: a point of order 8")
    four = edwards.double(edwards.double(small))
    check(four != edwards.IDENTITY, "edwards: four times a point of order 8 is not the identity")
    check(edwards.decode(bytes.fromhex(NO_POINT)) is None, "edwards: no point")
    check(edwards.decode(bytes(31)) is None, "edwards: 31 bytes")
