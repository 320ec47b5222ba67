//! What every legal sealed row keeps: linear rules over its columns.
//!
//! A row has exactly one 1 in each counting block, and all tables of a figure put it into the same
//! cell. Both are linear, so sums of rows keep them too, with the net number of rows in place of
//! "one": without the second kind a month could be male in one table and female in the two-way
//! table beside it, and every cell would still add up.

use super::block::Block;
use crate::count::MoveKind;

/// Σ `plus` − Σ `minus` of a row's columns is 1 where `one`, else 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    block: usize,
    plus: Vec<usize>,
    minus: Vec<usize>,
    one: bool,
}

impl Rule {
    /// Position of the block that it is about.
    pub fn block(&self) -> usize {
        self.block
    }
    /// Whether its right side is 1 for each row.
    pub fn counts_rows(&self) -> bool {
        self.one
    }
    /// Its left side over these columns, which are as many as the schema's.
    pub fn of(&self, columns: &[i64]) -> i128 {
        let sum = |of: &[usize]| -> i128 { of.iter().map(|&c| i128::from(columns[c])).sum() };
        sum(&self.plus) - sum(&self.minus)
    }
}

/// The rules of these blocks, in the order of SPEC 5: consecutive blocks of one figure and
/// direction are a group, the first of which the others agree with.
pub(super) fn rules(blocks: &[Block]) -> Vec<Rule> {
    let mut rules = Vec::new();
    let mut from = 0;
    for group in blocks.chunk_by(|a, b| a.kind == b.kind && a.figure == b.figure) {
        for (n, block) in group.iter().enumerate() {
            let earlier = &group[..n];
            let at = from + n;
            if block.kind == MoveKind::Amount {
                rules.extend(same_bits(at, block, earlier));
            } else {
                rules.push(one_cell(at, block));
                rules.extend(same_cells(at, block, earlier));
            }
        }
        from += group.len();
    }
    rules
}

/// Exactly one column of a counting block is 1.
fn one_cell(at: usize, block: &Block) -> Rule {
    Rule {
        block: at,
        plus: (block.start..block.start + block.width).collect(),
        minus: vec![],
        one: true,
    }
}

/// Every table of an amount has the same bits.
fn same_bits<'a>(
    at: usize,
    block: &'a Block,
    earlier: &'a [Block],
) -> impl Iterator<Item = Rule> + 'a {
    let first = earlier.first();
    first.into_iter().flat_map(move |first| {
        (0..block.width).map(move |bit| same(at, vec![block.start + bit], vec![first.start + bit]))
    })
}

/// A table counts where the first one does, and has the same marginal as the first earlier table
/// for each dimension that they share.
fn same_cells(at: usize, block: &Block, earlier: &[Block]) -> Vec<Rule> {
    let Some(first) = earlier.first() else {
        return Vec::new();
    };
    let not_counted = block.not_counted().into_iter().collect();
    let mut rules = vec![same(
        at,
        not_counted,
        first.not_counted().into_iter().collect(),
    )];
    for pick in &block.picks {
        let Some(other) = earlier.iter().find(|b| b.picks.contains(pick)) else {
            continue;
        };
        let theirs = other.by_code(*pick);
        for (code, ours) in block.by_code(*pick) {
            let minus = theirs.iter().find(|(c, _)| *c == code);
            let minus = minus.map(|(_, columns)| columns.clone());
            rules.push(same(at, ours, minus.unwrap_or_default()));
        }
    }
    rules
}

fn same(block: usize, plus: Vec<usize>, minus: Vec<usize>) -> Rule {
    Rule {
        block,
        plus,
        minus,
        one: false,
    }
}

impl Block {
    /// The columns of each code of a dimension of its table, codes in declared order.
    fn by_code(&self, pick: usize) -> Vec<(&str, Vec<usize>)> {
        let place = self.picks.iter().position(|p| *p == pick);
        let mut cells: Vec<(&String, usize)> = self.cells.iter().map(|(c, at)| (c, *at)).collect();
        cells.sort_unstable_by_key(|(_, at)| *at);
        let mut by_code: Vec<(&str, Vec<usize>)> = Vec::new();
        for (cell, at) in cells {
            let code = place.and_then(|p| cell.split('*').nth(p));
            let code = code.unwrap_or_default();
            match by_code.iter_mut().find(|(c, _)| *c == code) {
                Some((_, columns)) => columns.push(self.start + at),
                None => by_code.push((code, vec![self.start + at])),
            }
        }
        by_code
    }
}
