// What peers.py needs of isotree, as C functions. Its Python package takes half an hour to
// build, because it makes everything for every type of number; these calls take half a
// minute. The parameters are those its class passes on for
//
//   IsolationForest(ntrees=trees, sample_size=sample, ndim=1, missing_action="fail",
//                   random_seed=seed, nthreads=1)
//
// Tables lie column after column, as its Python class prefers them.
#include "headers_joined.hpp"

extern "C" {

// fit grows a forest on x; NULL when it fails.
void *fit(double *x, size_t rows, size_t cols, size_t trees, size_t sample, uint64_t seed)
{
    IsoForest *f = new IsoForest();
    int failed = fit_iforest<double, int>(
        f, nullptr, x, cols, nullptr, 0, nullptr, nullptr, nullptr, nullptr,
        1, 1, Uniform, false, nullptr, false, false,
        rows, sample, trees, 0, 0, true, false, true, Depth, true, false, nullptr,
        nullptr, true, nullptr, false, 0, 0, 0, 0, 0, 0, 0, 0,
        Fail, SubSet, Weighted, false, nullptr, 3, Higher, Inverse, false,
        seed, false, 1);
    if (failed) {
        delete f;
        return nullptr;
    }
    return f;
}

// score writes the score of each row of x to out.
void score(void *forest, double *x, size_t rows, double *out)
{
    predict_iforest<double, int>(
        x, nullptr, true, 0, 0, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
        rows, 1, true, static_cast<IsoForest *>(forest), nullptr, out, nullptr, nullptr, nullptr);
}

void release(void *forest) { delete static_cast<IsoForest *>(forest); }
}
