#include "tests/bench/plain_attention.hpp"

#include <Eigen/Core>

// GRADIENT_PLAIN is the namespace of this build.
namespace gradient::bench::GRADIENT_PLAIN {
namespace {

template <typename Scalar, PlainCausal kCausal>
class Trainer final : public PlainTrainer {
  public:
    explicit Trainer(const PlainBatch& batch)
        : n_(static_cast<Index>(batch.rows)),
          sequences_(static_cast<Index>(batch.batch)),
          causal_(batch.causal),
          x_rate_(static_cast<Scalar>(batch.x_rate)),
          y_rate_(static_cast<Scalar>(batch.y_rate)),
          a1_(matrix(batch.a1, batch.width)),
          a2_(matrix(batch.a2, batch.width)),
          a3_(matrix(batch.a3, batch.value_width)),
          b_(matrix(batch.b, batch.outputs)),
          x_(matrix(batch.x, batch.width)),
          y_(matrix(batch.y, batch.outputs)),
          u_(a1_.rows(), a1_.cols()),
          h_(b_.rows(), b_.cols()),
          r_(b_.rows(), b_.cols()),
          t_(a1_.rows(), a1_.cols()),
          v_(b_.rows(), b_.cols()),
          gx_(x_.rows(), x_.cols()),
          gy_(y_.rows(), y_.cols()),
          f_(Matrix::Zero(n_, n_)),
          q_(Matrix::Zero(n_, n_)) {}

    double step() override {
        u_.noalias() = a1_ * x_;
        h_.noalias() = a3_ * y_;
        for (Index b = 0; b < sequences_; ++b) sequence(b * n_);
        gx_.noalias() = a1_.transpose() * t_;
        gy_.noalias() = a3_.transpose() * v_;
        x_.noalias() -= x_rate_ * gx_;
        y_.noalias() -= y_rate_ * gy_;
        return static_cast<double>(r_.squaredNorm());
    }

  private:
    using Index = Eigen::Index;
    using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

    static Matrix matrix(const std::vector<double>& values, std::size_t columns) {
        using Source = Eigen::Map<
            const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
        const auto width = static_cast<Index>(columns);
        return Source(values.data(), static_cast<Index>(values.size()) / width, width)
            .template cast<Scalar>();
    }

    bool triangular() const { return kCausal == PlainCausal::triangular && causal_; }
    Index visible(Index i) const { return causal_ ? i + 1 : n_; }

    void sequence(Index first) {
        const auto a2 = a2_.middleRows(first, n_);
        const auto h = h_.middleRows(first, n_);
        auto r = r_.middleRows(first, n_);
        auto t = t_.middleRows(first, n_);
        auto v = v_.middleRows(first, n_);

        // F = softmax of U A2^T; entries above the diagonal stay zero if causal.
        product_abt(f_, u_.middleRows(first, n_), a2);
        for (Index i = 0; i < n_; ++i) {
            auto row = f_.row(i).head(visible(i)).array();
            row = (row - row.maxCoeff()).exp();
            row *= Scalar{1} / row.sum();
            f_.row(i).tail(n_ - visible(i)).setZero();
        }
        // R = F H - B
        product_ab(r, f_, h);
        r -= b_.middleRows(first, n_);
        // P = F o (R H^T - row sums of F o R H^T)
        product_abt(q_, r, h);
        for (Index i = 0; i < n_; ++i) {
            auto row = q_.row(i).head(visible(i)).array();
            const auto f = f_.row(i).head(visible(i)).array();
            row = f * (row - (f * row).sum());
            q_.row(i).tail(n_ - visible(i)).setZero();
        }
        // T = P A2, V = F^T R
        product_ab(t, q_, a2);
        if (triangular())
            v.noalias() = f_.transpose().template triangularView<Eigen::Upper>() * r;
        else
            v.noalias() = f_.transpose() * r;
    }

    // C = A B^T, of which only the lower triangle is read if causal.
    template <typename A, typename B>
    void product_abt(Matrix& c, const A& a, const B& b) const {
        if (triangular())
            c.template triangularView<Eigen::Lower>() = a * b.transpose();
        else
            c.noalias() = a * b.transpose();
    }

    // C = A B, A lower triangular if causal.
    template <typename C, typename B>
    void product_ab(C& c, const Matrix& a, const B& b) const {
        if (triangular())
            c.noalias() = a.template triangularView<Eigen::Lower>() * b;
        else
            c.noalias() = a * b;
    }

    Index n_, sequences_;
    bool causal_;
    Scalar x_rate_, y_rate_;
    Matrix a1_, a2_, a3_, b_;   // (batch * rows, columns)
    Matrix x_, y_;              // parameters
    Matrix u_, h_, r_, t_, v_;  // (batch * rows, columns)
    Matrix gx_, gy_;            // gradients
    Matrix f_, q_;              // (rows, rows), one sequence
};

template <typename Scalar>
std::unique_ptr<PlainTrainer> make_of(const PlainBatch& batch, PlainCausal causal) {
    if (causal == PlainCausal::triangular)
        return std::make_unique<Trainer<Scalar, PlainCausal::triangular>>(batch);
    return std::make_unique<Trainer<Scalar, PlainCausal::whole>>(batch);
}

}  // namespace

std::unique_ptr<PlainTrainer> make(const PlainBatch& batch, PlainScalar scalar,
                                   PlainCausal causal) {
    return scalar == PlainScalar::f32 ? make_of<float>(batch, causal)
                                      : make_of<double>(batch, causal);
}

}  // namespace gradient::bench::GRADIENT_PLAIN
