//! The right word that a wrong one is nearest to.

/// The candidate that is nearest to a word, if one is near enough to be meant: one holds the other,
/// or at most a third of the signs differ.
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let length = word.chars().count();
    candidates
        .into_iter()
        .filter(|c| !c.is_empty())
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(far, candidate)| {
            let longer = length.max(candidate.chars().count());
            let holds = word.contains(candidate) || candidate.contains(word);
            *far < longer && (holds && length > 1 || *far * 3 <= longer)
        })
        .min_by_key(|(far, _)| *far)
        .map(|(_, candidate)| candidate)
}

/// How many signs must be put in, left out or exchanged (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let exchanged = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = exchanged.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_found_and_a_far_one_is_not() {
        let names = ["发生日期", "身份证号", "就业形式", "月工资(元)"];
        for (word, right) in [
            ("身份证号码", Some("身份证号")),
            ("就业形势", Some("就业形式")),
            ("就业方式", Some("就业形式")),
            ("月工资", Some("月工资(元)")),
            ("籍贯", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, names), right, "{word}");
        }
    }
}
