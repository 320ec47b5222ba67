//! Codes of a closed list: by the code itself, by its names, or by what people write for it.

use protocol::catalogue::{Catalogue, CodeItem, Field};
use protocol::count::Value;

use super::fold;
use super::nearest::nearest;
use crate::fault::{Fault, FaultCode};

/// What people write for a label of the catalogue: the words of the policies for its short ones. Each
/// means one thing wherever a list has the label.
const ALIASES: [(&str, &str); 21] = [
    ("按比例就业", "按比例"),
    ("集中就业", "集中"),
    ("公益性岗位就业", "公益性岗位"),
    ("辅助性就业", "辅助性"),
    ("灵活就业", "灵活/新业态"),
    ("居家就业", "居家"),
    ("异地就业", "异地"),
    ("国有企业", "国企"),
    ("民营企业", "民企"),
    ("私营企业", "民企"),
    ("外资企业", "外资"),
    ("残联机关", "残联"),
    ("大专", "大专及以上"),
    ("本科", "大专及以上"),
    ("高中", "高中(中专)"),
    ("中专", "高中(中专)"),
    ("文盲", "未上学"),
    ("社会保险", "社保"),
    ("残疾人就业保障金", "残保金"),
    ("人力资源服务机构", "人力资源机构"),
    ("贷款贴息", "贴息"),
];

/// The codes that a field may have.
pub(super) fn codes<'c>(field: &'c Field, catalogue: &'c Catalogue) -> &'c [CodeItem] {
    match &field.dimension {
        Some(d) => catalogue
            .dimension(d)
            .map(|d| d.codes.as_slice())
            .unwrap_or_default(),
        None => &field.codes,
    }
}

fn is_named(code: &CodeItem, key: &str) -> bool {
    [&code.code, &code.zh, &code.en]
        .iter()
        .any(|name| fold::key(name) == key)
}

/// The code that a cell names.
pub(super) fn code(field: &Field, text: &str, catalogue: &Catalogue) -> Result<Value, Fault> {
    let codes = codes(field, catalogue);
    let key = fold::key(text);
    let alias = ALIASES.iter().find(|(alias, _)| *alias == key);
    let found = codes.iter().find(|code| is_named(code, &key)).or_else(|| {
        codes
            .iter()
            .find(|code| alias.is_some_and(|(_, zh)| code.zh == *zh))
    });
    match found {
        Some(code) => Ok(Value::Text(code.code.clone())),
        None => Err(unknown(codes, &key)),
    }
}

fn unknown(codes: &[CodeItem], key: &str) -> Fault {
    let labels = codes.iter().map(|code| code.zh.as_str());
    let near = nearest(key, labels);
    let near = near.and_then(|near| codes.iter().find(|code| code.zh == near));
    // What resembles a label is no name of a person; all else is not repeated.
    let (said_zh, said_en) = match near {
        Some(near) if key.chars().count() <= 12 => (
            format!("“{key}”不在可选范围内，是不是“{}”？", near.zh),
            format!(
                "“{key}” is not one of the codes; is it {} ({})?",
                near.code, near.zh
            ),
        ),
        _ => (
            "不在可选范围内。".to_string(),
            "not one of the codes.".to_string(),
        ),
    };
    let list = |name: fn(&CodeItem) -> String, mark: &str| {
        let names: Vec<String> = codes.iter().map(name).collect();
        names.join(mark)
    };
    let zh = list(|code| code.zh.clone(), "、");
    let en = list(|code| format!("{} {}", code.code, code.en), ", ");
    Fault::new(
        FaultCode::CodeUnknown,
        format!("{said_zh}可填：{zh}。"),
        format!("{said_en} It may be: {en}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(code: &str, zh: &str) -> CodeItem {
        CodeItem {
            code: code.into(),
            zh: zh.into(),
            en: code.into(),
        }
    }

    fn field() -> Field {
        let catalogue = kit::catalogue();
        let event = catalogue.event_by_code("E02").unwrap();
        let mut field = event.field("employer").unwrap().clone();
        field.codes = vec![
            item("high", "高中(中专)"),
            item("college", "大专及以上"),
            item("quota", "按比例"),
        ];
        field
    }

    #[test]
    fn labels_are_read_whatever_their_width_and_by_the_policies_words() {
        let (field, catalogue) = (field(), kit::catalogue());
        for (text, want) in [
            ("高中（中专）", "high"),
            ("ＨＩＧＨ", "high"),
            ("大专", "college"),
            ("按比例就业", "quota"),
        ] {
            let read = code(&field, text, &catalogue).unwrap();
            assert_eq!(read, Value::Text(want.into()), "{text}");
        }
    }

    #[test]
    fn a_wrong_word_is_refused_with_the_list_and_the_nearest() {
        let (field, catalogue) = (field(), kit::catalogue());
        let fault = code(&field, "按比率", &catalogue).unwrap_err();
        assert!(fault.zh.contains("是不是“按比例”"), "{}", fault.zh);
        let fault = code(&field, "张三", &catalogue).unwrap_err();
        assert!(fault.zh.contains("高中(中专)、大专及以上"), "{}", fault.zh);
        assert!(!fault.zh.contains("张三") && !fault.en.contains("张三"));
    }
}
