#include "net/tls_stream.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "net/client_certificate.h"
#include "net/socket_address.h"
#include "net/tls_state.h"

namespace gatehouse::net {

namespace {

/// The most that a record holds (RFC 8446 §5.1).
constexpr std::size_t kRecordBytes = 16 * 1024;

Result<void> expect_peer(SSL* ssl, const std::string& name) {
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool set = is_ip_address(name)
                       ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1
                       : !name.empty() && SSL_set1_host(ssl, name.c_str()) == 1 &&
                             SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
  if (set) return {};
  ERR_clear_error();
  return fail(ErrorCode::kInvalid, "\"" + name + "\" is no name that a certificate could be for");
}

/// The first of `pieces`, up to a record's size, in one place: where they are, or in `scratch`.
std::span<const char> gather(std::span<const iovec> pieces, std::span<char> scratch) {
  std::size_t size = 0;
  for (const iovec& piece : pieces) {
    const std::span bytes(static_cast<const char*>(piece.iov_base), piece.iov_len);
    if (size == 0 && (bytes.size() >= scratch.size() || &piece == &pieces.back())) {
      return bytes.first(std::min(bytes.size(), scratch.size()));
    }
    const std::size_t fits = std::min(bytes.size(), scratch.size() - size);
    std::copy_n(bytes.data(), fits, scratch.data() + size);
    size += fits;
  }
  return scratch.first(size);
}

}  // namespace

BioMethodPtr TlsStream::make_bio_method() {
  BioMethodPtr method(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "stream"));
  BIO_meth_set_write(method.get(), &TlsStream::bio_write);
  BIO_meth_set_read(method.get(), &TlsStream::bio_read);
  BIO_meth_set_ctrl(method.get(), &TlsStream::bio_control);
  return method;
}

MonotonicTime TlsStream::time_of(SSL* ssl) {
  return of(ssl).loop().now();
}

Result<std::unique_ptr<TlsStream>> TlsStream::accept(Loop& loop, FileDescriptor socket,
                                                     std::shared_ptr<const ServerTls> tls,
                                                     std::string_view early) {
  const ServerTls::State& state = tls->state();
  SSL_CTX* const context = state.hosts.front().context.get();
  std::unique_ptr<TlsStream> stream(
      new TlsStream(loop, std::move(socket), /*connecting=*/false, std::move(tls), context));
  Result<void> started = stream->start(state.bio_method.get());
  if (!started) return fail(std::move(started));
  if (early.empty()) {
    stream->expect_nothing_yet();
  } else {
    stream->put_back(early);
  }
  SSL_set_accept_state(stream->ssl_.get());
  return stream;
}

Result<std::unique_ptr<TlsStream>> TlsStream::connect(Loop& loop, FileDescriptor socket,
                                                      std::shared_ptr<const ClientTls> tls,
                                                      const Target& target) {
  const ClientTls::State& state = tls->state();
  std::unique_ptr<TlsStream> stream(new TlsStream(loop, std::move(socket), /*connecting=*/true,
                                                  std::move(tls), state.context.get()));
  Result<void> started = stream->start(state.bio_method.get());
  if (!started) return fail(std::move(started));
  Result<void> expected = expect_peer(stream->ssl_.get(), target.name);
  if (!expected) return fail(std::move(expected));
  const std::string alpn = alpn_on_the_wire(target.alpn);
  SSL_set_alpn_protos(stream->ssl_.get(), reinterpret_cast<const unsigned char*>(alpn.data()),
                      static_cast<unsigned int>(alpn.size()));
  SSL_set_connect_state(stream->ssl_.get());
  return stream;
}

TlsStream::TlsStream(Loop& loop, FileDescriptor socket, bool connecting,
                     std::shared_ptr<const void> tls, SSL_CTX* context)
    : SocketStream(loop, std::move(socket), connecting),
      tls_(std::move(tls)),
      ssl_(SSL_new(context)) {}

Result<void> TlsStream::start(const BIO_METHOD* method) {
  BIO* const bio = ssl_ ? BIO_new(method) : nullptr;
  if (bio == nullptr) return fail(ErrorCode::kExhausted, "no memory for a TLS connection");
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  return SocketStream::start();
}

bool TlsStream::send_held(std::span<const char> data, IoResult& sent) {
  const std::size_t held = held_->size();
  const std::array<iovec, 2> pieces{
      {{.iov_base = held_->data(), .iov_len = held},
       {.iov_base = const_cast<char*>(data.data()), .iov_len = data.size()}}};
  sent = send(pieces);
  if (sent.kind != IoResult::Kind::kDone) return false;
  if (sent.bytes < held) {
    held_->erase(0, sent.bytes);
    return false;
  }
  sent.bytes -= held;
  held_.reset();
  return true;
}

int TlsStream::bio_write(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  TlsStream& stream = *static_cast<TlsStream*>(BIO_get_data(bio));
  const std::span bytes(data, static_cast<std::size_t>(size));
  if (stream.holding_back_) {
    if (!stream.held_) stream.held_ = std::make_unique<std::string>();
    stream.held_->append(bytes.data(), bytes.size());
    return size;
  }
  IoResult sent;
  bool gone = true;
  if (stream.held_) {
    gone = stream.send_held(bytes, sent) && sent.bytes > 0;
  } else {
    const iovec piece{.iov_base = const_cast<char*>(data), .iov_len = bytes.size()};
    sent = stream.send({&piece, 1});
  }
  if (gone && sent.kind == IoResult::Kind::kDone) return static_cast<int>(sent.bytes);
  if (sent.kind != IoResult::Kind::kFailed) BIO_set_retry_write(bio);
  return -1;
}

int TlsStream::bio_read(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  TlsStream& stream = *static_cast<TlsStream*>(BIO_get_data(bio));
  IoResult sent;
  // What does not go now goes when the socket has room.
  if (stream.held_) stream.send_held({}, sent);
  const IoResult got = stream.receive({data, static_cast<std::size_t>(size)});
  if (got.kind == IoResult::Kind::kDone) return static_cast<int>(got.bytes);
  if (got.kind == IoResult::Kind::kWouldBlock) BIO_set_retry_read(bio);
  stream.end_of_input_ = got.kind == IoResult::Kind::kEnd;
  return stream.end_of_input_ ? 0 : -1;
}

long TlsStream::bio_control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return static_cast<TlsStream*>(BIO_get_data(bio))->end_of_input_;
  return 0;
}

Task<Result<void>> TlsStream::handshake() {
  while (true) {
    ERR_clear_error();
    holding_back_ = SSL_is_server(ssl_.get()) == 1;
    const int result = SSL_do_handshake(ssl_.get());
    holding_back_ = false;
    if (result == 1) break;
    // An alert.
    IoResult sent;
    if (held_) send_held({}, sent);
    const IoResult outcome = interpret(Direction::kRead, result);
    if (outcome.kind != IoResult::Kind::kWouldBlock) {
      co_return fail(ErrorCode::kUnavailable, "TLS handshake failed: " + *reason_);
    }
    Result<void> readable = co_await this->readable();
    if (!readable) co_return fail(std::move(readable));
  }
  // The peer's first bytes may have come with the end of the handshake.
  set_at_hand(Direction::kRead, true);
  co_return Result<void>();
}

std::string_view TlsStream::protocol() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string_view TlsStream::version() const {
  return SSL_get_version(ssl_.get());
}

std::shared_ptr<const http::ClientCertificate> TlsStream::client_certificate() const {
  X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr || SSL_get_verify_result(ssl_.get()) != X509_V_OK) return nullptr;
  return std::make_shared<const http::ClientCertificate>(
      describe(*certificate, SSL_get_peer_cert_chain(ssl_.get())));
}

IoResult TlsStream::interpret(Direction direction, int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      set_needs(direction, Direction::kRead);
      return {IoResult::Kind::kWouldBlock};
    case SSL_ERROR_WANT_WRITE:
      set_needs(direction, Direction::kWrite);
      return {IoResult::Kind::kWouldBlock};
    case SSL_ERROR_ZERO_RETURN:
      reason_ = std::make_unique<std::string>("the peer closed the connection");
      return {IoResult::Kind::kEnd};
    default:
      reason_ = std::make_unique<std::string>(failure_reason());
      ERR_clear_error();
      break_off();
      return {IoResult::Kind::kFailed};
  }
}

std::string TlsStream::failure_reason() const {
  const long verdict = SSL_get_verify_result(ssl_.get());
  if (verdict != X509_V_OK) {
    return std::string("the certificate is refused: ") + X509_verify_cert_error_string(verdict);
  }
  if (end_of_input_) return "the peer closed the connection";
  if (ERR_peek_last_error() == 0) return "the connection was broken by its peer";
  return last_openssl_error();
}

IoResult TlsStream::try_read(std::span<char> into) {
  if (aborted()) return {IoResult::Kind::kFailed};
  std::size_t total = 0;
  IoResult last{IoResult::Kind::kWouldBlock};
  while (total < into.size()) {
    const std::span<char> rest = into.subspan(total);
    std::size_t count = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), rest.data(), rest.size(), &count);
    if (result != 1) {
      last = interpret(Direction::kRead, result);
      break;
    }
    total += count;
  }
  // An end or a failure is told again to the next call.
  set_at_hand(Direction::kRead, last.kind != IoResult::Kind::kWouldBlock || total == into.size());
  return total > 0 ? IoResult{IoResult::Kind::kDone, total} : last;
}

IoResult TlsStream::write_record(std::span<const iovec> pieces) {
  std::array<char, kRecordBytes> scratch;
  std::span<const char> record = gather(pieces, scratch);
  if (record.empty()) return {IoResult::Kind::kWouldBlock};
  // What is sealed already is asked for again with the size that it had.
  if (sealed_ > 0) record = record.first(std::min(sealed_, record.size()));
  std::size_t count = 0;
  ERR_clear_error();
  const int result = SSL_write_ex(ssl_.get(), record.data(), record.size(), &count);
  if (result == 1) {
    sealed_ = 0;
    return {IoResult::Kind::kDone, count};
  }
  const IoResult outcome = interpret(Direction::kWrite, result);
  if (outcome.kind == IoResult::Kind::kWouldBlock) sealed_ = record.size();
  return outcome;
}

IoResult TlsStream::try_write(std::span<const iovec> pieces) {
  if (aborted()) return {IoResult::Kind::kFailed};
  return write_record(pieces);
}

void TlsStream::finish() {
  if (aborted() || std::exchange(finishing_, true)) return;
  send_close_notify();
}

void TlsStream::send_close_notify() {
  // A record that went out in part was the caller's to complete: without close_notify the peer can
  // tell that something is missing.
  if (sealed_ == 0) {
    ERR_clear_error();
    const int result = SSL_shutdown(ssl_.get());
    if (result < 0 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_WRITE) return;
    ERR_clear_error();
  }
  SocketStream::finish();
}

void TlsStream::on_writable() {
  IoResult sent;
  if (held_) send_held({}, sent);
  if (finishing_) send_close_notify();
}

}  // namespace gatehouse::net
