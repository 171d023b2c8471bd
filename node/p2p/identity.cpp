#include "node/p2p/identity.hpp"

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

namespace gradient::node {

namespace {

namespace ssl = boost::asio::ssl;

struct OpensslDeleter {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};
using EvpKey = std::unique_ptr<EVP_PKEY, OpensslDeleter>;
using Certificate = std::unique_ptr<X509, OpensslDeleter>;

void require(bool done, const char* what) {
    if (!done) throw std::runtime_error(std::string("TLS identity: ") + what);
}

// The protocol's name as ALPN carries lists: each after its length.
constexpr auto kAlpnList = [] {
    std::array<unsigned char, kApplicationProtocol.size() + 1> list{};
    list[0] = kApplicationProtocol.size();
    std::copy(kApplicationProtocol.begin(), kApplicationProtocol.end(), list.begin() + 1);
    return list;
}();

// Everything but the key is the same for all nodes.
Certificate make_certificate(EVP_PKEY* key) {
    constexpr long kVersion3 = 2;
    constexpr auto kName = std::to_array<unsigned char>({'g', 'r', 'a', 'd', 'i', 'e', 'n', 't'});
    Certificate certificate(X509_new());
    X509* const x509 = certificate.get();
    require(x509 != nullptr, "no memory");
    bool done = X509_set_version(x509, kVersion3) == 1;
    done = done && ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) == 1;
    done = done && ASN1_TIME_set_string(X509_getm_notBefore(x509), "19700101000000Z") == 1;
    done = done && ASN1_TIME_set_string(X509_getm_notAfter(x509), "99991231235959Z") == 1;
    done = done && X509_NAME_add_entry_by_NID(X509_get_subject_name(x509), NID_commonName,
                                              MBSTRING_ASC, kName.data(), kName.size(), -1, 0) == 1;
    done = done && X509_set_issuer_name(x509, X509_get_subject_name(x509)) == 1;
    done = done && X509_set_pubkey(x509, key) == 1;
    done = done && X509_sign(x509, key, nullptr) > 0;
    require(done, "cannot make the certificate");
    return certificate;
}

std::optional<NodeId> key_of(X509* certificate) {
    EVP_PKEY* const key = certificate == nullptr ? nullptr : X509_get0_pubkey(certificate);
    if (key == nullptr || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519) return std::nullopt;
    NodeId id;
    std::size_t size = id.bytes.size();
    if (EVP_PKEY_get_raw_public_key(key, id.bytes.data(), &size) != 1) return std::nullopt;
    // A key of small order would be everybody's.
    if (size != id.bytes.size() || !chain::is_strict_point_encoding(id.bytes)) return std::nullopt;
    return id;
}

// In place of OpenSSL's building and judging of chains: one certificate, of an Ed25519 key, signed
// with that key.
int verify_certificate(X509_STORE_CTX* context, void* /*argument*/) {
    X509* const certificate = X509_STORE_CTX_get0_cert(context);
    const auto* const sent = X509_STORE_CTX_get0_untrusted(context);
    const bool good = key_of(certificate).has_value() && sk_X509_num(sent) <= 1 &&
                      X509_verify(certificate, X509_get0_pubkey(certificate)) == 1;
    X509_STORE_CTX_set_error(context, good ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
    return good ? 1 : 0;
}

int select_protocol(SSL* /*tls*/, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void* /*argument*/) {
    unsigned char* found = nullptr;
    if (SSL_select_next_proto(&found, chosen_size, kAlpnList.data(), kAlpnList.size(), offered,
                              offered_size) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

void configure(ssl::context& context, EVP_PKEY* key, X509* certificate) {
    SSL_CTX* const tls = context.native_handle();
    bool done = SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) == 1 &&
                SSL_CTX_set_max_proto_version(tls, TLS1_3_VERSION) == 1 &&
                SSL_CTX_set1_sigalgs_list(tls, "ed25519") == 1 &&
                SSL_CTX_set1_groups_list(tls, "X25519") == 1 &&
                SSL_CTX_use_certificate(tls, certificate) == 1 &&
                SSL_CTX_use_PrivateKey(tls, key) == 1;
    // A resumed session would show no certificate.
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(tls, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    done = done && SSL_CTX_set_num_tickets(tls, 0) == 1;
    SSL_CTX_set_max_cert_list(tls, kMaxCertificateBytes);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_cert_verify_callback(tls, verify_certificate, nullptr);
    // This one returns 0 for success.
    done = done && SSL_CTX_set_alpn_protos(tls, kAlpnList.data(), kAlpnList.size()) == 0;
    SSL_CTX_set_alpn_select_cb(tls, select_protocol, nullptr);
    require(done, "cannot set up the context");
}

}  // namespace

Identity::Identity(const chain::SecretKey& key)
    : node_id_(key.public_key()),
      client_(ssl::context::tlsv13_client),
      server_(ssl::context::tlsv13_server) {
    const EvpKey evp(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, key.seed().data(),
                                                  key.seed().size()));
    require(evp != nullptr, "no Ed25519");
    const Certificate certificate = make_certificate(evp.get());
    configure(client_, evp.get(), certificate.get());
    configure(server_, evp.get(), certificate.get());
}

std::optional<NodeId> node_id_of(TlsStream& stream) {
    SSL* const tls = stream.native_handle();
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(tls, &protocol, &size);
    // A side that offers or chooses no protocol gets through the handshake itself.
    const std::span<const unsigned char> chosen(protocol, size);
    if (!std::equal(chosen.begin(), chosen.end(), kApplicationProtocol.begin(),
                    kApplicationProtocol.end())) {
        return std::nullopt;
    }
    return key_of(SSL_get0_peer_certificate(tls));
}

}  // namespace gradient::node
