//! SplitMix64: small, exact on every machine, good enough for a demonstration and for nothing else.

/// A stream of numbers that follows from a seed and a name.
pub(super) struct Random(u64);

impl Random {
    /// Each unit has a stream of its own, so that one unit's ledger does not depend on the others'.
    pub(super) fn new(seed: u64, name: &str) -> Random {
        // FNV-1a over the name, so that neighbouring codes start far apart.
        let start = name.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut random = Random(start);
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 .. n − 1; 0 where n is 0. The bias of the remainder does not matter here.
    pub(super) fn below(&mut self, n: usize) -> usize {
        if n == 0 {
            0
        } else {
            (self.next() % n as u64) as usize
        }
    }

    /// lo ..= hi.
    pub(super) fn range(&mut self, lo: u32, hi: u32) -> u32 {
        lo + self.below((hi.saturating_sub(lo) + 1) as usize) as u32
    }

    /// True in `percent` of 100 cases.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of a list that is not empty.
    pub(super) fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    /// One of a list by weight.
    pub(super) fn weighted<'a>(&mut self, list: &[(&'a str, usize)]) -> &'a str {
        let mut at = self.below(list.iter().map(|(_, w)| w).sum());
        for (name, weight) in list {
            if at < *weight {
                return name;
            }
            at -= weight;
        }
        list[0].0
    }

    /// `n` of these, in random order; all of them where there are fewer.
    pub(super) fn sample(&mut self, mut from: Vec<usize>, n: usize) -> Vec<usize> {
        for i in 0..n.min(from.len()) {
            let j = i + self.below(from.len() - i);
            from.swap(i, j);
        }
        from.truncate(n);
        from
    }
}
