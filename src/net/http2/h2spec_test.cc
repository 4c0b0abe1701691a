// What h2spec (github.com/summerwind/h2spec) asks of a server, section by section of RFC 9113 and
// RFC 7541; frames are made by hand.
#include <gtest/gtest.h>

#include "net/http2/test_server.h"
#include "net/running_task.h"

namespace gatehouse::net::http2 {
namespace {

const std::string kProtocol = "goaway 1";
const std::string kFlowControl = "goaway 3";
const std::string kStreamClosed = "goaway 5";
const std::string kFrameSize = "goaway 6";
const std::string kCompression = "goaway 9";

class H2specTest : public Http2ServerTest {
 protected:
  void SetUp() override { serve_echo(); }

  /// The fault of a malformed request: of the stream, as RFC 9113 §8.1.1 has it.
  std::string fault_of_request(const FieldPairs& fields) { return fault_of(headers(1, fields)); }
  std::string status_of(const FieldPairs& fields) {
    auto client = greet(headers(1, fields));
    return answer(*client, 1).status;
  }
};

std::string open_request(std::uint32_t id) {
  return headers(id, request_fields("POST"), kEndHeadersFlag);
}

// 3.4: the preface.
TEST_F(H2specTest, RefusesABadPreface) {
  auto client = connect();
  say(*client, "PRI * HTTP/2.0\r\n\r\nSM\r\nX\r\n" + settings());
  EXPECT_FALSE(loop_.run(client->raw().rest()).empty());
}
TEST_F(H2specTest, HangsUpOnWhatIsNoPreface) {
  auto client = connect();
  say(*client, "INVALID CONNECTION PREFACE\r\n\r\n");
  EXPECT_EQ(loop_.run(client->raw().rest()), "");
}
TEST_F(H2specTest, RefusesAPrefaceWithoutSettings) {
  auto client = connect();
  say(*client, std::string(kPreface) + headers(1, request_fields()));
  EXPECT_EQ(fault_of(*client), kProtocol);
}

// 4.1: unknown types, flags, the reserved bit.
TEST_F(H2specTest, IgnoresUnknownFrameTypes) {
  auto client = greet(frame(static_cast<FrameType>(0x16), 0, 0, "12345678"));
  EXPECT_TRUE(is_alive(*client));
}
TEST_F(H2specTest, IgnoresUndefinedFlagsAndTheReservedBit) {
  auto client = greet(frame(FrameType::kPing, 0x16, 0x80000000U, "87654321"));
  EXPECT_TRUE(is_alive(*client));
}

// 4.2: sizes.
TEST_F(H2specTest, TakesAFrameOfTheLargestSize) {
  auto client = greet(open_request(1) + data(1, std::string(16384, 'x'), true));
  EXPECT_EQ(answer(*client, 1).status, "200");
}
TEST_F(H2specTest, RefusesFramesThatAreTooLarge) {
  EXPECT_EQ(fault_of(open_request(1) + data(1, std::string(16385, 'x'), true)), kFrameSize);
  EXPECT_EQ(fault_of(frame(FrameType::kHeaders, kEndHeadersFlag, 1, std::string(16385, 0))),
            kFrameSize);
}

// 4.3: header blocks.
TEST_F(H2specTest, RefusesABlockThatCannotBeDecoded) {
  EXPECT_EQ(fault_of(frame(FrameType::kHeaders, 5, 1, "\x14\x66\x6f\x01")), kCompression);
}
TEST_F(H2specTest, RefusesFramesWithinAHeaderBlock) {
  const std::string block = headers(1, request_fields(), kEndStreamFlag);
  EXPECT_EQ(fault_of(block + frame(FrameType::kPriority, 0, 1, number(0, 5))), kProtocol);
  EXPECT_EQ(fault_of(block + headers(3, request_fields())), kProtocol);
  EXPECT_EQ(fault_of(block + frame(FrameType::kContinuation, kEndHeadersFlag, 3, "")), kProtocol);
  EXPECT_EQ(fault_of(block + frame(static_cast<FrameType>(0x16), 0, 0, "x")), kProtocol);
  EXPECT_EQ(fault_of(block + settings()), kProtocol);
}

// 5.1: the states of a stream.
TEST_F(H2specTest, RefusesFramesOnAnIdleStream) {
  EXPECT_EQ(fault_of(data(1, "x", true)), kProtocol);
  EXPECT_EQ(fault_of(reset_of(1)), kProtocol);
  EXPECT_EQ(fault_of(window_update(1, 100)), kProtocol);
  EXPECT_EQ(fault_of(frame(FrameType::kContinuation, kEndHeadersFlag, 1, hpack(request_fields()))),
            kProtocol);
}
class HalfClosedTest : public H2specTest {
 protected:
  void SetUp() override {
    serve([this](http::Request& request) -> Task<http::Response> {
      Event cancelled(loop_.get());
      request.cancellation->listen([&cancelled] { cancelled.happen(); });
      co_await cancelled;
      co_return http::Response{};
    });
  }
};
TEST_F(HalfClosedTest, RefusesContent) {
  EXPECT_EQ(fault_of(headers(1, request_fields()) + data(1, "x", true)), kStreamClosed);
}
TEST_F(HalfClosedTest, RefusesAHeaderBlock) {
  EXPECT_EQ(fault_of(headers(1, request_fields()) + headers(1, request_fields())), kStreamClosed);
}
TEST_F(HalfClosedTest, RefusesAContinuation) {
  EXPECT_EQ(fault_of(headers(1, request_fields()) +
                     frame(FrameType::kContinuation, kEndHeadersFlag, 1, "")),
            kProtocol);
}
TEST_F(H2specTest, RefusesFramesOnAStreamThatTheClientHasReset) {
  const std::string reset = open_request(1) + reset_of(1);
  EXPECT_EQ(fault_of(reset + data(1, "x", true)), kStreamClosed);
  EXPECT_EQ(fault_of(reset + headers(1, request_fields())), kStreamClosed);
  EXPECT_EQ(fault_of(reset + frame(FrameType::kContinuation, kEndHeadersFlag, 1, "")), kProtocol);
}
TEST_F(H2specTest, RefusesFramesOnAStreamThatHasEnded) {
  for (const std::string& late : {data(1, "x", true), headers(1, request_fields())}) {
    auto client = greet(headers(1, request_fields()));
    EXPECT_TRUE(answer(*client, 1).ended);
    say(*client, late);
    EXPECT_EQ(fault_of(*client), kStreamClosed);
  }
}
TEST_F(H2specTest, TakesWindowUpdateAndResetOnAStreamThatHasEnded) {
  auto client = greet(headers(1, request_fields()));
  EXPECT_TRUE(answer(*client, 1).ended);
  say(*client, window_update(1, 5) + reset_of(1) + frame(FrameType::kPriority, 0, 1, number(0, 5)));
  EXPECT_TRUE(is_alive(*client));
}

// 5.1.1: identifiers.
TEST_F(H2specTest, RefusesEvenStreams) {
  EXPECT_EQ(fault_of(headers(2, request_fields())), kProtocol);
}
TEST_F(H2specTest, RefusesAStreamBelowTheLast) {
  EXPECT_EQ(fault_of(headers(5, request_fields()) + headers(3, request_fields())), kProtocol);
}
TEST_F(H2specTest, RefusesContentOfAStreamThatWasPassedOver) {
  EXPECT_EQ(fault_of(headers(5, request_fields()) + data(3, "x", true)), kStreamClosed);
}

// 5.1.2: concurrency.
TEST_F(HalfClosedTest, RefusesAStreamTooMany) {
  std::string requests;
  for (std::uint32_t id = 1; id <= 201; id += 2) requests += headers(id, request_fields());
  auto client = greet(requests);
  const ReceivedFrame error = loop_.run(client->next_error());
  EXPECT_EQ(error.head.type, FrameType::kRstStream);
  EXPECT_EQ(error.head.stream, 201u);
  EXPECT_EQ(error.code(), static_cast<std::uint32_t>(FrameError::kRefusedStream));
  EXPECT_TRUE(is_alive(*client));
  EXPECT_EQ(counts_.count(Limit::kStreams), 1u);
}
TEST_F(H2specTest, TellsItsLimitOfStreams) {
  auto client = greet();
  const ReceivedFrame ours = loop_.run(client->next_of(FrameType::kSettings));
  EXPECT_EQ(ours.payload.substr(0, 6), setting(3, 100));
}

// 5.3.1: dependencies.
TEST_F(H2specTest, RefusesAStreamThatDependsOnItself) {
  EXPECT_EQ(fault_of(frame(FrameType::kHeaders, 0x25, 1,
                           number(1, 4) + "\x10" + hpack(request_fields()))),
            kProtocol);
  EXPECT_EQ(fault_of(frame(FrameType::kPriority, 0, 1, number(1, 4) + "\x10")), kProtocol);
}
TEST_F(H2specTest, TakesPriorities) {
  auto client = greet(frame(FrameType::kPriority, 0, 3, number(1, 4) + "\x10") +
                      frame(FrameType::kHeaders, 0x25, 1,
                            number(0x80000000U, 4) + "\x10" + hpack(request_fields())));
  EXPECT_EQ(answer(*client, 1).status, "200");
}

// 5.4, 5.5: errors, extensions.
TEST_F(H2specTest, ClosesAfterAConnectionError) {
  auto client = greet(data(1, "x", true));
  EXPECT_EQ(fault_of(*client), kProtocol);
  EXPECT_EQ(fault_of(*client), "end");
}

// 6.1: DATA.
TEST_F(H2specTest, RefusesContentOfNoStream) {
  EXPECT_EQ(fault_of(data(0, "x", true)), kProtocol);
}
TEST_F(H2specTest, RefusesContentWithTooMuchPadding) {
  EXPECT_EQ(fault_of(open_request(1) + frame(FrameType::kData, kPaddedFlag | 1, 1, "\x06test")),
            kProtocol);
}
TEST_F(H2specTest, TakesContentWithPadding) {
  auto client = greet(open_request(1) +
                      frame(FrameType::kData, kPaddedFlag | 1, 1, std::string("\x02test\0\0", 7)));
  EXPECT_EQ(answer(*client, 1).body, "POST / test");
}

// 6.2: HEADERS.
TEST_F(H2specTest, TakesHeadersWithPaddingAndPriority) {
  const std::string padded =
      std::string("\x02") + number(0, 4) + "\x10" + hpack(request_fields()) + std::string(2, 0);
  auto client = greet(frame(FrameType::kHeaders, 0x2d, 1, padded));
  EXPECT_EQ(answer(*client, 1).status, "200");
}
TEST_F(H2specTest, RefusesHeadersOfNoStreamOrWithTooMuchPadding) {
  EXPECT_EQ(fault_of(headers(0, request_fields())), kProtocol);
  EXPECT_EQ(fault_of(frame(FrameType::kHeaders, 0x0d, 1, "\x50" + hpack(request_fields()))),
            kProtocol);
}

// 6.3: PRIORITY. 6.4: RST_STREAM.
TEST_F(H2specTest, RefusesPrioritiesOfNoStreamOrOfAnotherSize) {
  EXPECT_EQ(fault_of(frame(FrameType::kPriority, 0, 0, number(0, 5))), kProtocol);
  EXPECT_EQ(fault_of(frame(FrameType::kPriority, 0, 1, number(0, 4))), kFrameSize);
}
TEST_F(H2specTest, RefusesResetsOfNoStreamOrOfAnotherSize) {
  EXPECT_EQ(fault_of(reset_of(0)), kProtocol);
  EXPECT_EQ(fault_of(open_request(1) + frame(FrameType::kRstStream, 0, 1, number(0, 3))),
            kFrameSize);
}

// 6.5: SETTINGS.
TEST_F(H2specTest, RefusesAnAcknowledgementWithSettings) {
  EXPECT_EQ(fault_of(frame(FrameType::kSettings, kAckFlag, 0, setting(3, 1))), kFrameSize);
}
TEST_F(H2specTest, RefusesSettingsOfAStreamOrOfAnotherSize) {
  EXPECT_EQ(fault_of(frame(FrameType::kSettings, 0, 1, setting(3, 1))), kProtocol);
  EXPECT_EQ(fault_of(frame(FrameType::kSettings, 0, 0, number(3, 3))), kFrameSize);
}
TEST_F(H2specTest, RefusesSettingsOutOfRange) {
  EXPECT_EQ(fault_of(settings(setting(2, 2))), kProtocol);
  EXPECT_EQ(fault_of(settings(setting(4, 0x80000000U))), kFlowControl);
  EXPECT_EQ(fault_of(settings(setting(5, 16383))), kProtocol);
  EXPECT_EQ(fault_of(settings(setting(5, 1U << 24U))), kProtocol);
}
TEST_F(H2specTest, IgnoresUnknownSettingsAndAcknowledges) {
  auto client = greet(settings(setting(0xff, 1)));
  for (int i = 0; i < 2; ++i) {
    ReceivedFrame ack = loop_.run(client->next_of(FrameType::kSettings));
    if (!ack.head.has(kAckFlag)) ack = loop_.run(client->next_of(FrameType::kSettings));
    EXPECT_TRUE(ack.head.has(kAckFlag));
  }
  EXPECT_TRUE(is_alive(*client));
}
TEST_F(H2specTest, TakesTheLastOfRepeatedSettings) {
  auto client = greet(settings(setting(4, 100) + setting(4, 1)) + headers(1, request_fields()));
  const ReceivedFrame first = loop_.run(client->next_of(FrameType::kData));
  EXPECT_EQ(first.payload.size(), 1u);
}

// 6.7: PING. 6.8: GOAWAY.
TEST_F(H2specTest, LeavesAnAcknowledgedPingUnanswered) {
  auto client = greet(frame(FrameType::kPing, kAckFlag, 0, "abcdefgh"));
  EXPECT_TRUE(is_alive(*client));
}
TEST_F(H2specTest, RefusesPingsOfAStreamOrOfAnotherSize) {
  EXPECT_EQ(fault_of(frame(FrameType::kPing, 0, 1, "12345678")), kProtocol);
  EXPECT_EQ(fault_of(frame(FrameType::kPing, 0, 0, "123456")), kFrameSize);
}
TEST_F(H2specTest, RefusesGoawayOfAStream) {
  EXPECT_EQ(fault_of(frame(FrameType::kGoaway, 0, 1, number(0, 8))), kProtocol);
}

// 6.9: WINDOW_UPDATE.
TEST_F(H2specTest, RefusesIncrementsOfZeroAndOfAnotherSize) {
  EXPECT_EQ(fault_of(window_update(0, 0)), kProtocol);
  EXPECT_EQ(fault_of(open_request(1) + window_update(1, 0)), kProtocol);
  EXPECT_EQ(fault_of(frame(FrameType::kWindowUpdate, 0, 0, number(1, 3))), kFrameSize);
}
TEST_F(H2specTest, RefusesWindowsThatOverflow) {
  EXPECT_EQ(fault_of(window_update(0, 0x7fffffff) + window_update(0, 0x7fffffff)), kFlowControl);
  EXPECT_EQ(fault_of(open_request(1) + window_update(1, 0x7fffffff) + window_update(1, 0x7fffffff)),
            "reset 3");
}
TEST_F(H2specTest, FollowsTheInitialWindowAsItChanges) {
  auto client = greet(settings(setting(4, 0)) + headers(1, request_fields()));
  EXPECT_TRUE(is_alive(*client));
  say(*client, settings(setting(4, 1)));
  const ReceivedFrame one = loop_.run(client->next_of(FrameType::kData));
  EXPECT_EQ(one.payload.size(), 1u);
}
TEST_F(H2specTest, FollowsAWindowThatHasBecomeNegative) {
  auto client = greet(settings(setting(4, 3)) + headers(1, request_fields()));
  const ReceivedFrame three = loop_.run(client->next_of(FrameType::kData));
  EXPECT_EQ(three.payload.size(), 3u);
  say(*client, settings(setting(4, 2)) + window_update(1, 2));
  const ReceivedFrame one = loop_.run(client->next_of(FrameType::kData));
  EXPECT_EQ(one.payload.size(), 1u);
}

// 6.10: CONTINUATION.
TEST_F(H2specTest, TakesContinuations) {
  const std::string block = hpack(request_fields());
  auto client = greet(frame(FrameType::kHeaders, kEndStreamFlag, 1, block.substr(0, 5)) +
                      frame(FrameType::kContinuation, 0, 1, block.substr(5, 5)) +
                      frame(FrameType::kContinuation, kEndHeadersFlag, 1, block.substr(10)));
  EXPECT_EQ(answer(*client, 1).status, "200");
}
TEST_F(H2specTest, RefusesContinuationsOutOfPlace) {
  EXPECT_EQ(fault_of(open_request(1) + frame(FrameType::kContinuation, kEndHeadersFlag, 1, "")),
            kProtocol);
  EXPECT_EQ(fault_of(open_request(1) + data(1, "x", false) +
                     frame(FrameType::kContinuation, kEndHeadersFlag, 1, "")),
            kProtocol);
  EXPECT_EQ(fault_of(frame(FrameType::kHeaders, 1, 1, hpack(request_fields())) +
                     frame(FrameType::kContinuation, kEndHeadersFlag, 0, "")),
            kProtocol);
}

// 8.1: messages.
TEST_F(H2specTest, TakesTrailersThatEndTheStreamAlone) {
  auto client = greet(open_request(1) + data(1, "x", false) + headers(1, {{"x-digest", "1"}}));
  EXPECT_EQ(answer(*client, 1).status, "200");
  EXPECT_EQ(fault_of(open_request(1) + headers(1, {{"x-digest", "1"}}, kEndHeadersFlag)),
            "reset 1");
}
TEST_F(H2specTest, RefusesUpperCaseNames) {
  EXPECT_EQ(fault_of_request(request_fields("GET", "/", {{"X-TEST", "1"}})), "reset 1");
}
TEST_F(H2specTest, RefusesBadPseudoFields) {
  EXPECT_EQ(fault_of_request(request_fields("GET", "/", {{":test", "1"}})), "reset 1");
  EXPECT_EQ(fault_of_request(request_fields("GET", "/", {{":status", "200"}})), "reset 1");
  EXPECT_EQ(fault_of_request(request_fields("GET", "/", {{":path", "/"}})), "reset 1");
  FieldPairs late = {{"x-test", "1"}};
  const FieldPairs rest = request_fields();
  late.insert(late.end(), rest.begin(), rest.end());
  EXPECT_EQ(fault_of_request(late), "reset 1");
  EXPECT_EQ(fault_of(open_request(1) + headers(1, {{":method", "GET"}})), "reset 1");
}
TEST_F(H2specTest, RefusesMissingOrRepeatedPseudoFields) {
  for (const std::string missing : {":method", ":scheme", ":path"}) {
    FieldPairs fields = request_fields();
    std::erase_if(fields, [&](const auto& field) { return field.first == missing; });
    EXPECT_EQ(fault_of_request(fields), "reset 1") << missing;
  }
  for (const std::string twice : {":method", ":scheme", ":path"}) {
    FieldPairs fields = request_fields();
    fields.insert(fields.begin(), {twice, twice == ":path" ? "/" : "GET"});
    EXPECT_EQ(fault_of_request(fields), "reset 1") << twice;
  }
  FieldPairs empty = request_fields("GET", "");
  EXPECT_EQ(fault_of_request(empty), "reset 1");
}
TEST_F(H2specTest, RefusesFieldsOfAConnection) {
  for (const FieldPairs& field : std::vector<FieldPairs>{{{"connection", "keep-alive"}},
                                                         {{"keep-alive", "1"}},
                                                         {{"proxy-connection", "close"}},
                                                         {{"transfer-encoding", "chunked"}},
                                                         {{"upgrade", "h2c"}},
                                                         {{"te", "trailers, deflate"}}}) {
    EXPECT_EQ(fault_of_request(request_fields("GET", "/", field)), "reset 1") << field[0].first;
  }
}
TEST_F(H2specTest, RefusesContentOfAnotherLengthThanSaid) {
  const std::string head =
      headers(1, request_fields("POST", "/", {{"content-length", "1"}}), kEndHeadersFlag);
  EXPECT_EQ(fault_of(head + data(1, "test", true)), "reset 1");
  EXPECT_EQ(fault_of(head + data(1, "te", false) + data(1, "st", true)), "reset 1");
  EXPECT_EQ(
      fault_of(headers(1, request_fields("POST", "/", {{"content-length", "5"}}), kEndHeadersFlag) +
               data(1, "test", true)),
      "reset 1");
}

// 8.3, 8.4: push.
TEST_F(H2specTest, RefusesPushPromises) {
  EXPECT_EQ(fault_of(frame(FrameType::kPushPromise, kEndHeadersFlag, 1,
                           number(2, 4) + hpack(request_fields()))),
            kProtocol);
}

// RFC 7541.
TEST_F(H2specTest, RefusesBadHpack) {
  const auto fault_of_block = [this](std::string block) {
    return fault_of(frame(FrameType::kHeaders, 5, 1, hpack(request_fields()) + block));
  };
  EXPECT_EQ(fault_of_block("\xc6"), kCompression) << "2.3.3: an index beyond the tables";
  EXPECT_EQ(fault_of_block("\x7f\x20\x01x"), kCompression) << "2.3.3: a name's index beyond them";
  EXPECT_EQ(fault_of_block("\x20"), kCompression) << "4.2: a size update at the end";
  EXPECT_EQ(fault_of(frame(FrameType::kHeaders, 5, 1,
                           std::string("\x3f\xe2\x1f", 3) + hpack(request_fields()))),
            kCompression)
      << "6.3: a size above the limit";
  EXPECT_EQ(fault_of_block(std::string("\x00\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff", 12)),
            kCompression)
      << "5.2: padding longer than 7 bits";
  EXPECT_EQ(fault_of_block(std::string("\x00\x85\xf2\xb2\x4a\x84\xff\x83\x49\x50\x90", 11)),
            kCompression)
      << "5.2: padding of zeros";
  EXPECT_EQ(fault_of_block(
                std::string("\x00\x85\xf2\xb2\x4a\x84\xff\x87\x49\x51\xff\xff\xff\xfa\x7f", 15)),
            kCompression)
      << "5.2: the end of the string";
  EXPECT_EQ(fault_of_block("\x80"), kCompression) << "6.1: index 0";
}

// h2spec's generic cases.
TEST_F(H2specTest, TakesOtherMethodsAndIndexedFields) {
  EXPECT_EQ(status_of(request_fields("HEAD")), "200");
  EXPECT_EQ(status_of(request_fields("OPTIONS")), "200");
  // Indexed, incremental, never indexed, Huffman, a size update first.
  const std::string block = std::string("\x20\x3f\xe1\x1f\x82\x86\x84\x41\x01", 9) + "a" +
                            std::string("\x40\x01x\x01y\xbe\x10\x01z\x01w", 11);
  auto client = greet(frame(FrameType::kHeaders, 5, 1, block));
  EXPECT_EQ(answer(*client, 1).body, "GET / ");
}

}  // namespace
}  // namespace gatehouse::net::http2
