"""conference-info documents are read to every element of RFC 4575; what is wrong is noted, nothing raises."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dissectors.confinfo.model import Extension, Uri
from dissectors.confinfo.parse import parse

FULL = b"""<?xml version="1.0" encoding="UTF-8"?>
<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" xmlns:x="urn:x"
 entity="sip:conf@lab.test" state="full" version="1">
 <conference-description>
  <display-text>Weekly</display-text><subject>Agenda</subject><free-text>long</free-text><keywords>a b</keywords>
  <conf-uris><entry><uri>tel:+1</uri><display-text>TTI</display-text><purpose>participation</purpose></entry></conf-uris>
  <service-uris state="full"><entry><uri>http://lab.test/s/</uri><purpose>web-page</purpose></entry></service-uris>
  <maximum-user-count>10</maximum-user-count>
  <available-media><entry label="l1"><display-text>main</display-text><type>audio</type>
   <status>sendrecv</status></entry></available-media>
 </conference-description>
 <host-info><display-text>Host</display-text><web-page>http://lab.test/</web-page>
  <uris><entry><uri>sip:host@lab.test</uri></entry></uris></host-info>
 <conference-state><user-count>2</user-count><active>true</active><locked>0</locked></conference-state>
 <users>
  <user entity="sip:bob@lab.test" state="full">
   <display-text>Bob</display-text>
   <associated-aors><entry><uri>mailto:bob@lab.test</uri></entry></associated-aors>
   <roles><entry>participant</entry><entry>moderator</entry></roles>
   <languages>en de</languages>
   <cascaded-focus>sip:other@lab.test</cascaded-focus>
   <endpoint entity="sip:bob@192.0.2.1">
    <display-text>Laptop</display-text>
    <referred><when>2026-01-01T00:00:00Z</when><reason>asked</reason><by>sip:mike@lab.test</by></referred>
    <status>connected</status><joining-method>dialed-out</joining-method>
    <joining-info><when>2026-01-01T00:00:01Z</when></joining-info>
    <disconnection-method>departed</disconnection-method>
    <disconnection-info><reason>bye</reason></disconnection-info>
    <media id="1"><display-text>voice</display-text><type>audio</type><label>l1</label>
     <src-id>4294967295</src-id><status>sendonly</status></media>
    <call-info><sip><display-text>call</display-text><call-id>c1</call-id><from-tag>f1</from-tag><to-tag>t1</to-tag></sip></call-info>
    <x:own>extra</x:own>
   </endpoint>
  </user>
  <user entity="sip:anonymous1@anonymous.invalid"/>
 </users>
 <sidebars-by-ref><entry><uri>sip:side@lab.test</uri></entry></sidebars-by-ref>
 <sidebars-by-val><entry entity="sip:side@lab.test" state="full">
  <users><user entity="sip:bob@lab.test"/></users></entry>
 </sidebars-by-val>
 <later/>
</conference-info>
"""


def test_every_element_is_read() -> None:
    document = parse(FULL)
    assert document.whole
    assert document.notes == ()
    conference = document.conference
    assert conference is not None
    assert (conference.entity, conference.state, conference.version) == ("sip:conf@lab.test", "full", 1)
    description = conference.conference_description
    assert description is not None
    assert (description.display_text, description.subject, description.free_text) == ("Weekly", "Agenda", "long")
    assert (description.keywords, description.maximum_user_count) == ("a b", 10)
    assert description.conf_uris is not None
    assert description.conf_uris.entries == (Uri("tel:+1", "TTI", "participation", FULL.index(b"<entry><uri>tel:")),)
    assert description.available_media is not None
    assert (description.available_media[0].label, description.available_media[0].status) == ("l1", "sendrecv")
    assert conference.host_info is not None
    assert conference.host_info.web_page == "http://lab.test/"
    state = conference.conference_state
    assert state is not None
    assert (state.user_count, state.active, state.locked) == (2, True, False)
    bob, anonymous = conference.participants()
    assert (bob.display_text, bob.roles, bob.languages) == ("Bob", ("participant", "moderator"), "en de")
    assert bob.cascaded_focus == "sip:other@lab.test"
    assert bob.associated_aors is not None
    assert bob.associated_aors.entries[0].uri == "mailto:bob@lab.test"
    assert (anonymous.entity, anonymous.state) == ("sip:anonymous1@anonymous.invalid", "full")
    (endpoint,) = bob.endpoints
    assert endpoint.referred is not None
    assert (endpoint.referred.by, endpoint.referred.reason) == ("sip:mike@lab.test", "asked")
    assert (endpoint.status, endpoint.joining_method) == ("connected", "dialed-out")
    assert endpoint.disconnection_method == "departed"
    assert endpoint.call_info is not None
    assert (endpoint.call_info.call_id, endpoint.call_info.from_tag, endpoint.call_info.to_tag) == ("c1", "f1", "t1")
    (media,) = endpoint.media
    assert (media.id, media.type, media.label, media.ssrc, media.status) == ("1", "audio", "l1", 0xFFFFFFFF, "sendonly")
    assert endpoint.extensions == (Extension("urn:x", "own", "extra", FULL.index(b"<x:own>")),)
    assert conference.sidebars_by_ref is not None
    assert conference.sidebars_by_ref.entries[0].uri == "sip:side@lab.test"
    assert conference.sidebars_by_val is not None
    assert conference.sidebars_by_val.entries[0].participants()[0].entity == "sip:bob@lab.test"
    assert [one.name for one in conference.extensions] == ["later"]
    assert FULL[bob.offset :].startswith(b'<user entity="sip:bob')


def conference(inside: str, attributes: str = 'entity="e" version="1"') -> bytes:
    """A small document."""
    namespace = "urn:ietf:params:xml:ns:conference-info"
    return f'<conference-info xmlns="{namespace}" {attributes}>{inside}</conference-info>'.encode()


def user(inside: str) -> bytes:
    """A document with one user."""
    return conference(f'<users><user entity="u">{inside}</user></users>')


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (conference("", ""), "conference-info has no entity"),
        (
            conference("", 'entity="e" state="whole"'),
            "state of conference-info is 'whole', none of full, partial, deleted",
        ),
        (conference("", 'entity="e" version="-1"'), "version is '-1', no unsigned number of 32 bits"),
        (conference("", 'entity="e" version="4294967296"'), "version is '4294967296', no unsigned number of 32 bits"),
        (conference("<users><user/></users>"), "user has no entity"),
        (conference("<users><user entity='u'/><user entity='u'/></users>"), "user 'u' is there more than once"),
        (conference("<conference-state><active>yes</active></conference-state>"), "active is 'yes', no boolean"),
        (conference("<sidebars-by-ref><entry/></sidebars-by-ref>"), "entry has no uri"),
        (user("<endpoint entity='p'><media/></endpoint>"), "media has no id"),
        (
            user("<endpoint entity='p'><media id='1'><src-id>0x12</src-id></media></endpoint>"),
            "src-id is '0x12', no SSRC in decimal",
        ),
        (
            user("<endpoint entity='p'><joining-method>walked</joining-method></endpoint>"),
            "joining-method is 'walked', none of dialed-in, dialed-out, focus-owner",
        ),
    ],
)
def test_what_is_wrong_is_noted(data: bytes, text: str) -> None:
    document = parse(data)
    assert [note.text for note in document.notes] == [text]
    assert data[document.notes[0].offset :].startswith(b"<")


def test_of_users_with_one_key_the_last_one_counts() -> None:
    data = conference('<users><user entity="u"/><user entity="u"><display-text>two</display-text></user></users>')
    read = parse(data).conference
    assert read is not None
    assert [one.display_text for one in read.participants()] == ["two"]


@pytest.mark.parametrize("data", [b"", b"<a/>", b"<conference-info/>", b"<!DOCTYPE conference-info><conference-info/>"])
def test_what_is_no_conference_document_gives_none_and_says_why(data: bytes) -> None:
    document = parse(data)
    assert document.conference is None
    assert len(document.notes) == 1


def test_sidebars_of_sidebars_are_bounded() -> None:
    inside = ""
    for _ in range(5):
        inside = f"<sidebars-by-val><entry entity='s'>{inside}</entry></sidebars-by-val>"
    assert [note.text for note in parse(conference(inside)).notes] == ["sidebars nested too deep are not read"]


@settings(max_examples=200)
@given(data=st.data())
def test_changed_documents_raise_nothing(data: st.DataObject) -> None:
    at, gone = data.draw(st.integers(0, len(FULL))), data.draw(st.integers(0, 30))
    parse(FULL[:at] + data.draw(st.binary(max_size=8)) + FULL[at + gone :])
