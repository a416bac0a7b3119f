"""HTML mail: what a reader sees, line by line, and which lines are quoted."""

import pytest

from shared.mail import read

WROTE = "Closed the Abernathy file, .6 with the registrar."
THEIRS = "We were at it for 3 hours on our side."
HEADERS = (
    "<b>From:</b> Otto Prell<br><b>Sent:</b> Thursday, September 3, 2026 5:47 PM<br>"
    "<b>To:</b> Ines<br><b>Subject:</b> x"
)


def raw(html: str) -> bytes:
    return f"From: Ines Marlowe <i@m.example>\nContent-Type: text/html; charset=utf-8\n\n{html}".encode()


def body(html: str) -> str:
    return read(raw(html)).body


def new(html: str) -> str:
    return read(raw(html)).new_text()


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ('<p class="MsoNormal">one</p><p class="MsoNormal">two</p>', "one\ntwo"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("<div>one<br>two</div>three", "one\ntwo\nthree"),
        ("<div>one</div><div><br></div><div>two</div>", "one\n\ntwo"),
        ("<div>one</div><p class=MsoNormal>&nbsp;</p><div>two</div>", "one\n\ntwo"),
        ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
        ("<ol><li>one<ul><li>deep</li></ul></li><li>two</ol>", "one\ndeep\ntwo"),
        ("<dl><dt>Abernathy<dd>.4<dt>Koslow<dd>.6</dl>", "Abernathy\n.4\nKoslow\n.6"),
        ("a   \n\t line <b>in</b>  <i>pieces</i>", "a line in pieces"),
        ("half<span>word</span>", "halfword"),
        ("1&frac12;&nbsp;hours &amp; &ldquo;more&rdquo;", "1½\u00a0hours & “more”"),
        ("<pre>Abernathy   .4\n  Koslow   .6\n</pre>", "Abernathy   .4\n  Koslow   .6"),
        ("<pre>Abernathy .4\n\nKoslow .6</pre>", "Abernathy .4\n\nKoslow .6"),
        ('x<span style="white-space:pre">\t</span>y\nz', "x\ty z"),
        ("<h2>Time</h2>.4<hr>.6", "Time\n\n.4\n\n.6"),
        ("plain words", "plain words"),
        ("", ""),
        ("<div>never <b>closed <i>at all", "never closed at all"),
        ("</div></p>stray</b>", "stray"),
    ],
)
def test_each_block_is_a_line(html: str, expected: str) -> None:
    assert body(html) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<table><tr><th>Matter<th>Hours<tr><td>Koslow<td>.4</table>", "Matter\tHours\nKoslow\t.4"),
        ("<table><tr><td><p>Koslow</p></td><td><div>.4</div></td></tr></table>", "Koslow\t.4"),
        ("<table><tr><td></td><td>Total</td><td>4.3</td></tr></table>", "\tTotal\t4.3"),
        ("<table><tr><td>Koslow<br>deed</td><td>.4</td></tr></table>", "Koslow deed\t.4"),
        ("<table><tr><td><p>one</p><p>two</p></td></tr></table>", "one\n\ntwo"),
        (
            "<table><tr><td>logo<td><table><tr><td>Koslow<td>.4<tr><td>Prell<td>.6</table></table>",
            "logo\tKoslow\t.4 Prell\t.6",
        ),
        (
            "<table><tr><td>a<br>b<br>c<br>d</td><td>e<br>f<br>g<br>h</td></tr></table>",
            "a\nb\nc\nd\ne\nf\ng\nh",
        ),
        (f"<table><tr><td>{'word ' * 400}<td>x</table>", f"{('word ' * 400).strip()}\nx"),
        ("<td>cell without a table", "cell without a table"),
    ],
)
def test_a_row_of_data_is_a_line_with_a_tab_between_cells(html: str, expected: str) -> None:
    assert body(html) == expected


@pytest.mark.parametrize(
    "unseen",
    [
        "<style>.x{margin:30min}</style>",
        "<script>var hours = 3</script>",
        "<!-- 3 hours -->",
        "<!--[if mso]><p>3 hours</p><![endif]-->",
        "<head><title>3 hours</title></head>",
        '<div style="display:none">3 hours</div>',
        '<div style="DISPLAY : NONE !important"><p>3 hours</p></div>',
        '<span style="visibility: hidden">3 hours</span>',
        '<span style="mso-hide:all">3 hours</span>',
        '<span style="font-size:0px;line-height:0">3 hours</span>',
        '<span style="opacity:0">3 hours</span>',
        '<div style="max-height:0;overflow:hidden">3 hours</div>',
        '<span style="color:#FFFFFF">3 hours</span>',
        '<span style="color: white">3 hours</span>',
        '<font color="#fff">3 hours</font>',
        '<div style="background-color:#fff"><span style="color:rgb(255, 255, 255)">3 hours</span></div>',
        "<div hidden>3 hours</div>",
        "<template>3 hours</template>",
        "<svg><text>3 hours</text></svg>",
    ],
)
def test_what_a_reader_does_not_see_is_left_out(unseen: str) -> None:
    assert body(f"<html>{unseen}<p>{WROTE}</p></html>") == WROTE


@pytest.mark.parametrize(
    "seen",
    [
        '<span style="font-size:0.9em">3 hours</span>',
        '<span style="opacity:0.8">3 hours</span>',
        '<td style="font-size:0"><div style="font-size:14px">3 hours</div></td>',
        '<div style="background:#003366"><span style="color:#fff">3 hours</span></div>',
        '<table bgcolor="#003366"><tr><td><font color="white">3 hours</font></td></tr></table>',
        '<div style="color:white"><span style="color:#222">3 hours</span></div>',
        '<span style="background-color:white;color:black">3 hours</span>',
        '<span style="max-height:0.5in">3 hours</span>',
        "<style>@media (max-width:600px) { .wide { display:none } }</style><p class=wide>3 hours</p>",
        "<style>.menu .wide { display:none }</style><p class=wide>3 hours</p>",
        '<p style="color:#777;background:#fff">3 hours</p>',
        '<div style="background:url(sky.png)"><span style="color:white">3 hours</span></div>',
        '<p style="text-decoration:underline">3 hours</p>',
        "<section><small>3 hours</small></section>",
    ],
)
def test_what_a_reader_sees_is_kept(seen: str) -> None:
    assert body(seen) == "3 hours"


QUOTES = {
    "gmail": '<br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Thu, Sep 3, 2026 at 5:47 PM Otto '
    '&lt;<a href="mailto:o@p.example">o@p.example</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="'
    f'margin:0 0 0 .8ex;border-left:1px #ccc solid">{THEIRS}</blockquote></div>',
    "gmail forward": '<div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------<br>'
    f"From: Otto &lt;o@p.example&gt;<br></div><br>{THEIRS}</div>",
    "gmail in an unknown language": f'<div class="gmail_quote"><div class="gmail_attr">Qdo Otto:</div>{THEIRS}</div>',
    "apple": f'<div><br><blockquote type="cite"><div>On Sep 3, 2026, at 17:47, Otto wrote:</div>'
    f"{THEIRS}</blockquote></div>",
    "apple, without a line beside it": f'<blockquote type="cite" style="margin:0;border:none">{THEIRS}</blockquote>',
    "thunderbird": '<div class="moz-cite-prefix">On 9/3/2026 5:47 PM, Otto wrote:<br></div><blockquote type="cite" '
    f'cite="mid:1">{THEIRS}</blockquote>',
    "thunderbird forward": f'<div class="moz-forward-container">Weiter an: <p>{THEIRS}</p></div>',
    "yahoo": f'<div id="yahoo_quoted_12" class="yahoo_quoted"><div>Qdo Otto:</div><div>{THEIRS}</div></div>',
    "proton": '<div class="protonmail_quote">On Thursday, September 3rd, 2026 at 5:47 PM, Otto &lt;o@p.example&gt;'
    f' wrote:<br><blockquote class="protonmail_quote" type="cite">{THEIRS}</blockquote></div>',
    "outlook desktop": '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in"><p '
    f'class="MsoNormal">{HEADERS}</p></div><p class="MsoNormal">{THEIRS}</p>',
    "outlook desktop in an unknown language": '<div style="border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt'
    f' 0cm 0cm 0cm"><p>Qdo: Otto<br>Kanw: 3</p></div><p>{THEIRS}</p>',
    "outlook on the web": '<div id="appendonsend"></div><hr>'
    f'<div id="divRplyFwdMsg">{HEADERS}</div><div>{THEIRS}</div>',
    "outlook on the web, quoted again": f'<div id="x_divRplyFwdMsg"><b>Qdo</b> Otto</div><div>{THEIRS}</div>',
    "outlook, a mere rule": f'<hr><p class="MsoNormal">{HEADERS}</p><p class="MsoNormal">{THEIRS}</p>',
    "outlook, new": f'<div id="mail-editor-reference-message-container">{THEIRS}</div>',
    "headers in a table": "<table><tr><td>From:<td>Otto Prell<tr><td>Date:<td>09/03/2026 05:47 PM<tr><td>Subject:<td>x"
    f"</table><p>{THEIRS}</p>",
    "spark": f'<div name="messageReplySection">{THEIRS}</div>',
    "bare blockquote": f"<blockquote>{THEIRS}</blockquote>",
    "marks in the text": f"<div>&gt; {THEIRS}</div>",
}


@pytest.mark.parametrize("quote", QUOTES.values(), ids=QUOTES)
def test_a_quote_in_the_markup_is_not_the_senders(quote: str) -> None:
    email = read(raw(f"<div>{WROTE}</div>{quote}"))
    assert email.new_text() == WROTE
    assert THEIRS in email.body


def test_answers_between_quoted_blocks_are_the_senders() -> None:
    html = (
        '<div class="gmail_quote"><div class="gmail_attr">On Thu, Sep 3, 2026 at 5:47 PM Otto wrote:</div><blockquote '
        'class="gmail_quote" style="border-left:1px solid">Was it 2 hours?</blockquote><div>No, 1.4.</div><blockquote '
        'class="gmail_quote" style="border-left:1px solid">And Friday, 3?</blockquote></div><div>.7 then.</div>'
    )
    assert new(html) == "No, 1.4.\n.7 then."


@pytest.mark.parametrize(
    "style",
    ["margin:0 0 0 40px;border:none;padding:0px", "margin-left:40px", "margin: 0px 0px 0px 40px; border: none;"],
)
def test_an_indented_list_is_no_quote(style: str) -> None:
    assert new(f'<blockquote class="gmail_quote" style="border:none;{style}">Koslow .4</blockquote>') == "Koslow .4"


def test_a_signature_element_goes_but_not_time_that_was_typed_into_it() -> None:
    card = "Ines Marlowe<br>Marlowe LLP<br>Office hours 9 to 5"
    assert new(f'<p>{WROTE}</p><div class="gmail_signature">{card}</div>') == WROTE
    assert new(f'<p>{WROTE}</p><div class="gmail_signature">{card}<br>Koslow .3</div>') == f"{WROTE}\nKoslow .3"
    assert new(f'<p>{WROTE}</p><div id="Signature"><p>{card}</p><p>PS Koslow .3</p></div>') == f"{WROTE}\nPS Koslow .3"


def test_a_signature_laid_out_as_a_table_goes() -> None:
    card = "<table><tr><td><b>Ines Marlowe</b><td>Partner<tr><td>Marlowe LLP<td>218-555-0199</table>"
    assert new(f"<p>{WROTE}</p>{card}") == WROTE


def test_nesting_ten_thousand_deep_keeps_the_text() -> None:
    html = "<div>" * 10_000 + "<span><b>" * 10_000 + WROTE + "</div>" * 10_000
    assert new(html) == WROTE


def test_a_tag_with_endless_attributes_keeps_the_text_in_it() -> None:
    html = "<div " + " ".join(f"a{n}='>'" for n in range(20_000)) + f">{WROTE}</div>"
    assert new(html) == WROTE


def test_a_cell_that_reaches_over_others_leaves_the_next_in_their_columns() -> None:
    table = (
        "<table><tr><th>Day<th>With<th>Min.<tr><td rowspan=2>6 May<td>Abernathy<td>36<tr><td>Koslow<td>14"
        "<tr><td colspan='2'>All calls<td>50<tr><td>7 May<td>Prell<td>9</table>"
    )
    assert body(table) == "Day\tWith\tMin.\n6 May\tAbernathy\t36\n\tKoslow\t14\nAll calls\t\t50\n7 May\tPrell\t9"


@pytest.mark.parametrize("reach", ["0", "-3", "x", "", "99999999999999999999", "1e9", "\u00b2"])
def test_a_cell_reaches_no_further_than_makes_sense(reach: str) -> None:
    row = f'<tr><td colspan="{reach}" rowspan="{reach}">Koslow<td>.4<tr><td>Prell<td>.6'
    assert body(f"<table>{row}</table>").replace("\t\t", "\t").strip() == "Koslow\t.4\nPrell\t.6"


def test_cells_of_a_table_inside_another_are_in_columns_of_their_own() -> None:
    inner = "<table><tr><td>Koslow<td>.4</table>"
    assert body(f"<table><tr><td rowspan=3>{inner}<td>x<tr><td>Prell<td>.6</table>") == "Koslow\t.4\tx\n\tPrell\t.6"
